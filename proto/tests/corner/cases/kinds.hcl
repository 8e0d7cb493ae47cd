# One attribute of each kind after another, first alone and then changed.

#= kinds_none
resource "corner_kinds" "kinds_none" {}
#> corner_kinds.kinds_none: create
#> corner_kinds.kinds_none.bool = null
#> corner_kinds.kinds_none.dynamic = null
#> corner_kinds.kinds_none.list = null
#> corner_kinds.kinds_none.list_nested = null
#> corner_kinds.kinds_none.map = null
#> corner_kinds.kinds_none.map_nested = null
#> corner_kinds.kinds_none.number = null
#> corner_kinds.kinds_none.object = null
#> corner_kinds.kinds_none.object_with_dynamic = null
#> corner_kinds.kinds_none.set = null
#> corner_kinds.kinds_none.set_nested = null
#> corner_kinds.kinds_none.single_nested = null
#> corner_kinds.kinds_none.single_nested_with_dynamic = null
#> corner_kinds.kinds_none.string = null
#> corner_kinds.kinds_none.tuple = null
#> corner_kinds.kinds_none.group_block = {"text":null}
#> corner_kinds.kinds_none.list_block = []
#> corner_kinds.kinds_none.list_block_with_dynamic = []
#> corner_kinds.kinds_none.map_block = {}
#> corner_kinds.kinds_none.map_block_with_dynamic = {}
#> corner_kinds.kinds_none.set_block = []
#> corner_kinds.kinds_none.single_block = null
#> corner_kinds.kinds_none.single_block_with_dynamic = null

#= kinds_bool
resource "corner_kinds" "kinds_bool" {
  bool = true
}
#> corner_kinds.kinds_bool.bool = true
#> corner_kinds.kinds_bool.string = null
#+
resource "corner_kinds" "kinds_bool" {
  bool = false
}
#> corner_kinds.kinds_bool: update
#> corner_kinds.kinds_bool.bool = false

#= kinds_number
resource "corner_kinds" "kinds_number" {
  number = 1234.5
}
#> corner_kinds.kinds_number.number = 1234.5
#+
resource "corner_kinds" "kinds_number" {
  number = 2345
}
#> corner_kinds.kinds_number: update
#> corner_kinds.kinds_number.number = 2345

#= kinds_string
resource "corner_kinds" "kinds_string" {
  string = "value1"
}
#> corner_kinds.kinds_string.string = "value1"
#+
resource "corner_kinds" "kinds_string" {
  string = "value2"
}
#> corner_kinds.kinds_string: update
#> corner_kinds.kinds_string.string = "value2"

# One letter in two forms: Terraform has one of them.
#= kinds_normal_form
resource "corner_kinds" "kinds_normal_form" {
  string = "e\u0301"
}
#> corner_kinds.kinds_normal_form.string = "\u00e9"

#= kinds_empty
resource "corner_kinds" "kinds_empty" {
  string        = ""
  list          = []
  map           = {}
  set           = []
  list_nested   = []
  map_nested    = {}
  set_nested    = []
  single_nested = {}
}
#> corner_kinds.kinds_empty.string = ""
#> corner_kinds.kinds_empty.list = []
#> corner_kinds.kinds_empty.map = {}
#> corner_kinds.kinds_empty.set = []
#> corner_kinds.kinds_empty.list_nested = []
#> corner_kinds.kinds_empty.map_nested = {}
#> corner_kinds.kinds_empty.set_nested = []
#> corner_kinds.kinds_empty.single_nested = {"text":null}
#+
resource "corner_kinds" "kinds_empty" {}
#> corner_kinds.kinds_empty: update
#> corner_kinds.kinds_empty.string = null
#> corner_kinds.kinds_empty.list = null

#= kinds_list
resource "corner_kinds" "kinds_list" {
  list        = ["value1", null]
  list_nested = [{ text = "value1" }, {}]
  list_block {
    text = "value1"
  }
}
#> corner_kinds.kinds_list.list = ["value1",null]
#> corner_kinds.kinds_list.list_nested = [{"text":"value1"},{"text":null}]
#> corner_kinds.kinds_list.list_block = [{"text":"value1"}]
#+
resource "corner_kinds" "kinds_list" {
  list        = ["value2", "value1"]
  list_nested = [{ text = "value2" }]
  list_block {
    text = "value2"
  }
  list_block {}
}
#> corner_kinds.kinds_list: update
#> corner_kinds.kinds_list.list = ["value2","value1"]
#> corner_kinds.kinds_list.list_nested = [{"text":"value2"}]
#> corner_kinds.kinds_list.list_block = [{"text":"value2"},{"text":null}]

#= kinds_map
resource "corner_kinds" "kinds_map" {
  map        = { key1 = "value1" }
  map_nested = { key1 = { text = "value1" } }
  map_block "key 1" {
    text = "value1"
  }
}
#> corner_kinds.kinds_map.map = {"key1":"value1"}
#> corner_kinds.kinds_map.map_nested = {"key1":{"text":"value1"}}
#> corner_kinds.kinds_map.map_block = {"key 1":{"text":"value1"}}
#+
resource "corner_kinds" "kinds_map" {
  map        = { key1 = "value2", "key 2" = null }
  map_nested = { key1 = { text = "value2" }, "key 2" = {} }
  map_block "key 1" {
    text = "value2"
  }
  map_block "key2" {}
}
#> corner_kinds.kinds_map: update
#> corner_kinds.kinds_map.map = {"key 2":null,"key1":"value2"}
#> corner_kinds.kinds_map.map_nested = {"key 2":{"text":null},"key1":{"text":"value2"}}
#> corner_kinds.kinds_map.map_block = {"key 1":{"text":"value2"},"key2":{"text":null}}

#= kinds_set
resource "corner_kinds" "kinds_set" {
  set        = ["value1"]
  set_nested = [{ text = "value1" }]
  set_block {
    text = "value1"
  }
}
#> corner_kinds.kinds_set.set = ["value1"]
#> corner_kinds.kinds_set.set_nested = [{"text":"value1"}]
#> corner_kinds.kinds_set.set_block = [{"text":"value1"}]
#+
resource "corner_kinds" "kinds_set" {
  set        = ["value2"]
  set_nested = [{ text = "value2" }]
  set_block {
    text = "value2"
  }
}
#> corner_kinds.kinds_set: update
#> corner_kinds.kinds_set.set = ["value2"]
#> corner_kinds.kinds_set.set_nested = [{"text":"value2"}]
#> corner_kinds.kinds_set.set_block = [{"text":"value2"}]

#= kinds_object
resource "corner_kinds" "kinds_object" {
  object        = { text = "value1" }
  single_nested = { text = "value1" }
  tuple         = ["value1", 1]
  single_block {
    text = "value1"
  }
  group_block {
    text = "value1"
  }
}
#> corner_kinds.kinds_object.object = {"text":"value1"}
#> corner_kinds.kinds_object.single_nested = {"text":"value1"}
#> corner_kinds.kinds_object.tuple = ["value1",1]
#> corner_kinds.kinds_object.single_block = {"text":"value1"}
#> corner_kinds.kinds_object.group_block = {"text":"value1"}
#+
resource "corner_kinds" "kinds_object" {
  object        = { text = null }
  single_nested = { text = "value2" }
  tuple         = ["value2", null]
  single_block {
    text = "value2"
  }
}
#> corner_kinds.kinds_object: update
#> corner_kinds.kinds_object.object = {"text":null}
#> corner_kinds.kinds_object.single_nested = {"text":"value2"}
#> corner_kinds.kinds_object.tuple = ["value2",null]
#> corner_kinds.kinds_object.single_block = {"text":"value2"}
#> corner_kinds.kinds_object.group_block = {"text":null}

# What does not fit a type is refused before the provider hears of it.
#= kinds_wrong_type
resource "corner_kinds" "kinds_wrong_type" {
  tuple  = ["value1"]
  object = {}
}
#> validate fails: attribute "tuple"|Inappropriate value
#> validate fails: attribute "object"|Inappropriate value

#= kinds_data_source
data "corner_kinds" "kinds_data_source" {
  dynamic     = [true, 1.5]
  map         = { a = "b" }
  number      = 1 - 0.99
  set         = ["b", "a", "b"]
  tuple       = [null, 1]
  list_nested = [{ text = "c" }]
  list_block_with_dynamic {
    any = "text"
  }
  list_block_with_dynamic {
    any = 1
  }
  set_block {
    text = "d"
  }
}
output "kinds_data_source" {
  value = data.corner_kinds.kinds_data_source
}
#> data.corner_kinds.kinds_data_source.dynamic = [true,1.5]
#> data.corner_kinds.kinds_data_source.set = ["a","b"]
#> data.corner_kinds.kinds_data_source.list_block_with_dynamic = [{"any":"text"},{"any":1}]
#> data.corner_kinds.kinds_data_source.single_block = null

# What a data source waits for is known only at apply.
#= kinds_data_source_waits
resource "terraform_data" "kinds_data_source_waits" {
  input = "late"
}
data "corner_kinds" "kinds_data_source_waits" {
  string = terraform_data.kinds_data_source_waits.output
}
#> data.corner_kinds.kinds_data_source_waits: read
#> data.corner_kinds.kinds_data_source_waits.string = "late"

# Whatever is not known at plan may be anything at apply.
#= kinds_unknown
resource "terraform_data" "kinds_unknown" {
  input = "late"
}
resource "corner_kinds" "kinds_unknown" {
  string        = terraform_data.kinds_unknown.output
  dynamic       = terraform_data.kinds_unknown.output
  list          = ["early", terraform_data.kinds_unknown.output]
  map           = { (terraform_data.kinds_unknown.output) = "value" }
  set           = [terraform_data.kinds_unknown.output, "late"]
  single_nested = { text = "pre-${terraform_data.kinds_unknown.output}" }
  dynamic "list_block" {
    for_each = [terraform_data.kinds_unknown.output]
    content {
      text = list_block.value
    }
  }
}
#> plan corner_kinds.kinds_unknown.string = (unknown)
#> plan corner_kinds.kinds_unknown.dynamic = (unknown)
#> plan corner_kinds.kinds_unknown.list = ["early",(unknown)]
#> plan corner_kinds.kinds_unknown.map = (unknown)
#> corner_kinds.kinds_unknown.string = "late"
#> corner_kinds.kinds_unknown.dynamic = "late"
#> corner_kinds.kinds_unknown.list = ["early","late"]
#> corner_kinds.kinds_unknown.map = {"late":"value"}
#> corner_kinds.kinds_unknown.set = ["late"]
#> corner_kinds.kinds_unknown.single_nested = {"text":"pre-late"}
#> corner_kinds.kinds_unknown.list_block = [{"text":"late"}]

# How many blocks there will be is not known before apply.
#= kinds_unknown_blocks
resource "terraform_data" "kinds_unknown_blocks" {
  input = ["a", "b"]
}
resource "corner_kinds" "kinds_unknown_blocks" {
  dynamic "list_block" {
    for_each = terraform_data.kinds_unknown_blocks.output
    content {
      text = list_block.value
    }
  }
  dynamic "set_block" {
    for_each = terraform_data.kinds_unknown_blocks.output
    content {
      text = set_block.value
    }
  }
}
#> corner_kinds.kinds_unknown_blocks.list_block = [{"text":"a"},{"text":"b"}]
#> corner_kinds.kinds_unknown_blocks.set_block = [{"text":"a"},{"text":"b"}]

#= kinds_computed
resource "corner_computed" "kinds_computed" {
  config_bool          = true
  config_dynamic       = "hello"
  config_number        = 2.1
  config_string        = "hello"
  config_list          = ["one", "two"]
  config_map           = { key1 = "val1", key2 = "val2", key3 = "val3" }
  config_map_nested    = { key1 = { text = "val1" }, key2 = { text = "val2" } }
  config_object        = { text = "hello" }
  config_single_nested = { text = "hello" }
  config_block {
    text = "one"
  }
  config_block {
    text = "two"
  }
  computed_block {}
  computed_block {}
}
#> plan corner_computed.kinds_computed.computed_dynamic = (unknown)
#> plan corner_computed.kinds_computed.computed_block = [{"text":(unknown)},{"text":(unknown)}]
#> corner_computed.kinds_computed.computed_bool = true
#> corner_computed.kinds_computed.computed_dynamic = "dynamic"
#> corner_computed.kinds_computed.computed_number = 1.2
#> corner_computed.kinds_computed.computed_string = "computed"
#> corner_computed.kinds_computed.computed_list = ["computed","list"]
#> corner_computed.kinds_computed.computed_map = {"a":"one","b":"two"}
#> corner_computed.kinds_computed.computed_map_nested = {"a":{"text":"one"},"b":{"text":"two"}}
#> corner_computed.kinds_computed.computed_object = {"text":"object"}
#> corner_computed.kinds_computed.computed_single_nested = {"text":"nested"}
#> corner_computed.kinds_computed.computed_block = [{"text":"decided for computed_block[0].text"},{"text":"decided for computed_block[1].text"}]
#+
resource "corner_computed" "kinds_computed" {
  config_bool          = false
  config_dynamic       = "world"
  config_number        = 3.4
  config_string        = "world"
  config_list          = ["three", "four", "five"]
  config_map           = { key4 = "val4", key5 = "val5" }
  config_map_nested    = { key4 = { text = "val4" } }
  config_object        = { text = "world" }
  config_single_nested = { text = "world" }
  config_block {
    text = "three"
  }
  config_block {
    text = "four"
  }
  computed_block {}
  computed_block {}
}
#> corner_computed.kinds_computed: update
#> corner_computed.kinds_computed.computed_bool = true
#> corner_computed.kinds_computed.computed_map = {"a":"one","b":"two"}
#> corner_computed.kinds_computed.config_list = ["three","four","five"]
