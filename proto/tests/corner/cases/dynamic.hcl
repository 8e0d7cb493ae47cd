# Attributes that take any type, alone and inside of others.

#= dynamic_changes_type
resource "corner_kinds" "dynamic_changes_type" {
  dynamic = "value1"
}
#> corner_kinds.dynamic_changes_type.dynamic = "value1"
#+
resource "corner_kinds" "dynamic_changes_type" {
  dynamic = tolist(["value1", "value2"])
}
#> corner_kinds.dynamic_changes_type: update
#> corner_kinds.dynamic_changes_type.dynamic = ["value1","value2"]
#+
resource "corner_kinds" "dynamic_changes_type" {
  dynamic = {
    attribute_one   = "value1"
    attribute_two   = false
    attribute_three = 1234.5
    attribute_four  = [true, 1234.5]
  }
}
#> corner_kinds.dynamic_changes_type: update
#> corner_kinds.dynamic_changes_type.dynamic = {"attribute_four":[true,1234.5],"attribute_one":"value1","attribute_three":1234.5,"attribute_two":false}
#+
resource "corner_kinds" "dynamic_changes_type" {
  dynamic = null
}
#> corner_kinds.dynamic_changes_type: update
#> corner_kinds.dynamic_changes_type.dynamic = null

# The value stays and its type alone changes: a list becomes a tuple, then a set.
#= dynamic_type_alone_changes
resource "corner_dynamic" "dynamic_type_alone_changes" {
  value = tolist(["a"])
}
#> corner_dynamic.dynamic_type_alone_changes.type = "[\"list\",\"string\"]"
#+
resource "corner_dynamic" "dynamic_type_alone_changes" {
  value = ["a"]
}
#> corner_dynamic.dynamic_type_alone_changes: update
#> corner_dynamic.dynamic_type_alone_changes.type = "[\"tuple\",[\"string\"]]"
#+
resource "corner_dynamic" "dynamic_type_alone_changes" {
  value = toset(["a"])
}
#> corner_dynamic.dynamic_type_alone_changes: update
#> corner_dynamic.dynamic_type_alone_changes.type = "[\"set\",\"string\"]"

# The provider's own result is of another type after an update.
#= dynamic_computed_changes_type
resource "corner_dynamic" "dynamic_computed_changes_type" {
  value = "value1"
}
#> plan corner_dynamic.dynamic_computed_changes_type.result = (unknown)
#> corner_dynamic.dynamic_computed_changes_type.result = true
#+
resource "corner_dynamic" "dynamic_computed_changes_type" {
  value = "value2"
}
#> plan corner_dynamic.dynamic_computed_changes_type.result = (unknown)
#> corner_dynamic.dynamic_computed_changes_type.result = 200

#= dynamic_in_object
resource "corner_kinds" "dynamic_in_object" {
  object_with_dynamic        = { any = "value1" }
  single_nested_with_dynamic = { any = "value1" }
  single_block_with_dynamic {
    any = "value1"
  }
}
#> corner_kinds.dynamic_in_object.object_with_dynamic = {"any":"value1"}
#> corner_kinds.dynamic_in_object.single_nested_with_dynamic = {"any":"value1"}
#> corner_kinds.dynamic_in_object.single_block_with_dynamic = {"any":"value1"}
#+
resource "corner_kinds" "dynamic_in_object" {
  object_with_dynamic        = { any = tolist(["value1", "value2"]) }
  single_nested_with_dynamic = { any = tolist(["value1", "value2"]) }
  single_block_with_dynamic {
    any = tolist(["value1", "value2"])
  }
}
#> corner_kinds.dynamic_in_object: update
#> corner_kinds.dynamic_in_object.object_with_dynamic = {"any":["value1","value2"]}
#> corner_kinds.dynamic_in_object.single_nested_with_dynamic = {"any":["value1","value2"]}
#> corner_kinds.dynamic_in_object.single_block_with_dynamic = {"any":["value1","value2"]}
#+
resource "corner_kinds" "dynamic_in_object" {
  object_with_dynamic        = { any = { one = [true, 1234.5] } }
  single_nested_with_dynamic = { any = { one = [true, 1234.5] } }
  single_block_with_dynamic {
    any = null
  }
}
#> corner_kinds.dynamic_in_object: update
#> corner_kinds.dynamic_in_object.object_with_dynamic = {"any":{"one":[true,1234.5]}}
#> corner_kinds.dynamic_in_object.single_nested_with_dynamic = {"any":{"one":[true,1234.5]}}
#> corner_kinds.dynamic_in_object.single_block_with_dynamic = {"any":null}

# Elements of a map share one type; each block brings its own.
#= dynamic_in_map
resource "corner_kinds" "dynamic_in_map" {
  map_nested_with_dynamic = {
    a = { any = tolist([1 - 0.99]) }
    b = { any = tolist([2]) }
  }
  map_block_with_dynamic "text" {
    any = "a"
  }
  map_block_with_dynamic "number" {
    any = 1
  }
  list_block_with_dynamic {
    any = { a = 1 }
  }
  list_block_with_dynamic {
    any = true
  }
}
#> corner_kinds.dynamic_in_map.map_nested_with_dynamic.a = {"any":[0.010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003]}
#> corner_kinds.dynamic_in_map.map_nested_with_dynamic.b = {"any":[2]}
#> corner_kinds.dynamic_in_map.map_block_with_dynamic = {"number":{"any":1},"text":{"any":"a"}}
#> corner_kinds.dynamic_in_map.list_block_with_dynamic = [{"any":{"a":1}},{"any":true}]
#+
resource "corner_kinds" "dynamic_in_map" {
  map_nested_with_dynamic = {
    a = { any = "text" }
    d = { any = "other" }
  }
  list_block_with_dynamic {
    any = "text"
  }
}
#> corner_kinds.dynamic_in_map: update
#> corner_kinds.dynamic_in_map.map_nested_with_dynamic = {"a":{"any":"text"},"d":{"any":"other"}}
#> corner_kinds.dynamic_in_map.map_block_with_dynamic = {}
#> corner_kinds.dynamic_in_map.list_block_with_dynamic = [{"any":"text"}]

# Null of a type and null of none.
#= dynamic_null
resource "corner_dynamic" "dynamic_null" {
  value = { a = null, b = tonumber(null), c = tolist(null) }
}
#> corner_dynamic.dynamic_null.value = {"a":null,"b":null,"c":null}

#= dynamic_deep
resource "corner_dynamic" "dynamic_deep" {
  value = { a = [{ b = [tomap({ c = toset([1 - 0.99, 0.1]) })] }] }
}
#> corner_dynamic.dynamic_deep.type = "[\"object\",{\"a\":[\"tuple\",[[\"object\",{\"b\":[\"tuple\",[[\"map\",[\"set\",\"number\"]]]]}]]]}]"
