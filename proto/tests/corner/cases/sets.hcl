# Sets have no order and no doubles, and their elements no address.

# The service writes addresses its own way; nobody sees that.
#= set_semantic_equality
resource "corner_address" "set_semantic_equality" {
  set = [
    "0:0:0:0:0:0:0:0",
    "2001:0DB8:0000:0000:0008:0800:200C:417A",
    "0:0:0:0:0:0:0:101",
    "0:0:0:0:0:FFFF:192.168.255.255",
  ]
  set_nested = [
    { ipv6 = "2041:0000:140F:0000:0000:0000:875B:131B" },
    { ipv6 = "2001:0001:0002:0003:0004:0005:0006:0007" },
  ]
  set_block {
    ipv6 = "FF01:0:0:0:0:0:0:0"
  }
  set_block {
    ipv6 = "2001:db8::8:800:200c:417a"
  }
}
#> corner_address.set_semantic_equality: create
#> corner_address.set_semantic_equality.set = ["0:0:0:0:0:0:0:0","0:0:0:0:0:0:0:101","0:0:0:0:0:FFFF:192.168.255.255","2001:0DB8:0000:0000:0008:0800:200C:417A"]
#+
resource "corner_address" "set_semantic_equality" {
  set = [
    "0:0:0:0:0:FFFF:192.168.255.255",
    "0:0:0:0:0:0:0:0",
    "2001:0DB8:0000:0000:0008:0800:200C:417A",
    "0:0:0:0:0:0:0:101",
  ]
  set_nested = [
    { ipv6 = "2001:0001:0002:0003:0004:0005:0006:0007" },
    { ipv6 = "2041:0000:140F:0000:0000:0000:875B:131B" },
  ]
  set_block {
    ipv6 = "2001:db8::8:800:200c:417a"
  }
  set_block {
    ipv6 = "FF01:0:0:0:0:0:0:0"
  }
}
#> corner_address.set_semantic_equality: no-op
#+
resource "corner_address" "set_semantic_equality" {
  set = [
    "0:0:0:0:0:FFFF:192.168.255.255",
    "::",
    "2001:0DB8:0000:0000:0008:0800:200C:417A",
    "0:0:0:0:0:0:0:101",
  ]
  set_nested = [
    { ipv6 = "2001:1:2:3:4:5:6:7" },
    { ipv6 = "2041:0000:140F:0000:0000:0000:875B:131B" },
  ]
  set_block {
    ipv6 = "2001:db8::8:800:200c:417a"
  }
  set_block {
    ipv6 = "FF01::"
  }
}
#> corner_address.set_semantic_equality: update
#> corner_address.set_semantic_equality.set = ["0:0:0:0:0:0:0:101","0:0:0:0:0:FFFF:192.168.255.255","2001:0DB8:0000:0000:0008:0800:200C:417A","::"]

#= set_doubles
resource "corner_kinds" "set_doubles" {
  set        = ["b", "a", "b", "a"]
  set_nested = [{ text = "b" }, { text = "a" }, { text = "b" }]
  set_block {
    text = "a"
  }
  set_block {
    text = "a"
  }
}
#> corner_kinds.set_doubles.set = ["a","b"]
#> corner_kinds.set_doubles.set_nested = [{"text":"a"},{"text":"b"}]
#> corner_kinds.set_doubles.set_block = [{"text":"a"}]
#+
resource "corner_kinds" "set_doubles" {
  set        = ["a", "b"]
  set_nested = [{ text = "a" }, { text = "b" }]
  set_block {
    text = "a"
  }
}
#> corner_kinds.set_doubles: no-op

# Two elements that are unknown may turn out to be one.
#= set_unknown_elements_coalesce
resource "terraform_data" "set_unknown_elements_coalesce" {
  count = 2
  input = "same"
}
resource "corner_kinds" "set_unknown_elements_coalesce" {
  set        = terraform_data.set_unknown_elements_coalesce[*].output
  set_nested = [for late in terraform_data.set_unknown_elements_coalesce : { text = late.output }]
}
#> corner_kinds.set_unknown_elements_coalesce.set = ["same"]
#> corner_kinds.set_unknown_elements_coalesce.set_nested = [{"text":"same"}]

# Each element's default is found by itself, whatever the others have.
#= set_nested_defaults
resource "corner_defaults" "set_nested_defaults" {
  set = [
    { value = "one" },
    { value = "two" },
    { value = "three" },
  ]
}
#> plan corner_defaults.set_nested_defaults.set = [{"other":"the default","value":"one"},{"other":"the default","value":"three"},{"other":"the default","value":"two"}]
#> corner_defaults.set_nested_defaults.set = [{"other":"the default","value":"one"},{"other":"the default","value":"three"},{"other":"the default","value":"two"}]
#+
resource "corner_defaults" "set_nested_defaults" {
  set = [
    { value = "two", other = "own" },
    { value = "three" },
    {},
  ]
}
#> corner_defaults.set_nested_defaults: update
#> corner_defaults.set_nested_defaults.set = [{"other":"own","value":"two"},{"other":"the default","value":"three"},{"other":"the default","value":"zero"}]

#= set_block_defaults
resource "corner_defaults" "set_block_defaults" {
  set_block {
    value = "one"
  }
  set_block {
    value = "two"
  }
  set_block {
    other = "own"
  }
}
#> corner_defaults.set_block_defaults.set_block = [{"other":"own","value":"zero"},{"other":"the default","value":"one"},{"other":"the default","value":"two"}]

# What is written and what a default makes are one block then.
#= set_defaults_coalesce
resource "corner_defaults" "set_defaults_coalesce" {
  set_block {
    value = "zero"
  }
  set_block {}
  set_block {
    value = "zero"
    other = "the default"
  }
}
#> corner_defaults.set_defaults_coalesce.set_block = [{"other":"the default","value":"zero"}]

# What is computed in an element stays while the element does, whatever comes before or behind it.
#= set_computed_parts
resource "corner_computed" "set_computed_parts" {
  parts = [{ text = "b" }, { text = "a" }]
}
#> plan corner_computed.set_computed_parts.parts = [{"id":(unknown),"text":"a"},{"id":(unknown),"text":"b"}]
#> corner_computed.set_computed_parts.parts = [{"id":"made","text":"a"},{"id":"made","text":"b"}]
#+
resource "corner_computed" "set_computed_parts" {
  parts = [{ text = "c" }, { text = "b" }, { text = "a" }]
}
#> corner_computed.set_computed_parts: update
#> plan corner_computed.set_computed_parts.parts = [{"id":"made","text":"a"},{"id":"made","text":"b"},{"id":(unknown),"text":"c"}]
#> corner_computed.set_computed_parts.parts = [{"id":"made","text":"a"},{"id":"made","text":"b"},{"id":"made","text":"c"}]
#+
resource "corner_computed" "set_computed_parts" {
  parts = [{ text = "c" }]
}
#> corner_computed.set_computed_parts: update
#> plan corner_computed.set_computed_parts.parts = [{"id":"made","text":"c"}]
#+
resource "corner_computed" "set_computed_parts" {
  parts = []
}
#> corner_computed.set_computed_parts: update
#> corner_computed.set_computed_parts.parts = []
