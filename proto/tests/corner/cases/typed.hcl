# Resources written as structs, and how long they may take.

#= typed_none
resource "corner_typed" "typed_none" {}
#> corner_typed.typed_none: create
#> plan corner_typed.typed_none.limit = (unknown)
#> corner_typed.typed_none.any = null
#> corner_typed.typed_none.one = null
#> corner_typed.typed_none.some = null
#> corner_typed.typed_none.part = []
#> corner_typed.typed_none.timeouts = null
#> corner_typed.typed_none.limit = 3600
#> corner_typed.typed_none.count_of = {"parts":0}

#= typed_parts
resource "corner_typed" "typed_parts" {
  any    = { a = [true, 1.5] }
  number = 1 - 0.99
  texts  = { a = "one", "b c" = "two" }
  one    = { name = "abc" }
  some   = [{ name = "def", purpose = "testing" }, { name = "ghi" }]
  set    = ["b", "a", "b"]
  part {
    name = "jkl"
  }
}
#> plan corner_typed.typed_parts.count_of = (unknown)
#> plan corner_typed.typed_parts.one = {"name":"abc","purpose":"nothing","reversed":(unknown)}
#> corner_typed.typed_parts.any = {"a":[true,1.5]}
#> corner_typed.typed_parts.number = 0.010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003
#> corner_typed.typed_parts.texts = {"a":"one","b c":"two"}
#> corner_typed.typed_parts.one = {"name":"abc","purpose":"nothing","reversed":"cba"}
#> corner_typed.typed_parts.some = [{"name":"def","purpose":"testing","reversed":"fed"},{"name":"ghi","purpose":"nothing","reversed":"ihg"}]
#> corner_typed.typed_parts.set = ["a","b"]
#> corner_typed.typed_parts.part = [{"name":"jkl","purpose":"nothing","reversed":"lkj"}]
#> corner_typed.typed_parts.count_of = {"parts":4}
#+
resource "corner_typed" "typed_parts" {
  any  = "text"
  one  = { name = "abc", purpose = "nothing" }
  some = [{ name = "def", purpose = "testing" }, { name = "ghi" }]
  part {
    name = "jkl"
  }
}
#> corner_typed.typed_parts: update
#> plan corner_typed.typed_parts.count_of = {"parts":4}
#> plan corner_typed.typed_parts.one = {"name":"abc","purpose":"nothing","reversed":"cba"}
#> corner_typed.typed_parts.any = "text"
#> corner_typed.typed_parts.texts = null
#> corner_typed.typed_parts.limit = 7200
#+
resource "corner_typed" "typed_parts" {
  one  = { name = "xyz" }
  some = []
  part {
    name = "jkl"
  }
  part {
    name = "mno"
  }
}
#> corner_typed.typed_parts: update
#> plan corner_typed.typed_parts.one.reversed = (unknown)
#> corner_typed.typed_parts.any = null
#> corner_typed.typed_parts.one.reversed = "zyx"
#> corner_typed.typed_parts.some = []
#> corner_typed.typed_parts.part.1.reversed = "onm"
#> corner_typed.typed_parts.count_of = {"parts":3}

#= typed_wrong
resource "corner_typed" "typed_wrong" {
  milliseconds = -1
}
#> validate fails: `milliseconds` must be a whole number from 0 to 4294967295

#= timeouts_attribute
resource "corner_typed" "timeouts_attribute" {
  timeouts = {
    create = "120s"
  }
}
#> corner_typed.timeouts_attribute.timeouts = {"create":"120s","update":null}
#> corner_typed.timeouts_attribute.limit = 120
#+
resource "corner_typed" "timeouts_attribute" {
  set = ["changed"]
  timeouts = {
    create = "120s"
    update = "1h2m3s"
  }
}
#> corner_typed.timeouts_attribute: update
#> corner_typed.timeouts_attribute.timeouts = {"create":"120s","update":"1h2m3s"}
#> corner_typed.timeouts_attribute.limit = 3723

#= timeouts_block
resource "corner_timed" "timeouts_block" {
  timeouts {
    create = "1.5h"
  }
}
#> corner_timed.timeouts_block.timeouts = {"create":"1.5h","update":null}
#> corner_timed.timeouts_block.limit = 5400

#= timeouts_unset
resource "corner_timed" "timeouts_unset" {}
#> corner_timed.timeouts_unset.timeouts = null
#> corner_timed.timeouts_unset.limit = 3600

#= timeouts_invalid
resource "corner_timed" "timeouts_invalid" {
  timeouts {
    create = "tomorrow"
  }
}
#> validate fails: `timeouts.create` must be

#= timeouts_over
resource "corner_timed" "timeouts_over" {
  milliseconds = 60000
  timeouts {
    create = "10ms"
  }
}
#> apply fails: It takes too long
