# Functions of every type: what goes in comes out, with its type.

#= function_bool
#? functions
output "function_bool" {
  value = provider::corner::bool(true)
}
#> output.function_bool = true
#> type output.function_bool = "bool"

# What is known at once is as good when it went through something that is known late.
#= function_into_resource
#? functions
resource "terraform_data" "function_into_resource" {
  input = {
    bool     = provider::corner::bool(true)
    number   = provider::corner::number(9223372036854775809)
    list     = provider::corner::list(["one", "two"])
    object   = provider::corner::object({ attr1 = "value1", attr2 = 123 })
    variadic = provider::corner::variadic("test-value")
  }
}
output "function_into_resource" {
  value = terraform_data.function_into_resource.output
}
#> output.function_into_resource.bool = true
#> output.function_into_resource.number = 9223372036854775809
#> output.function_into_resource.list = ["one","two"]
#> output.function_into_resource.object = {"attr1":"value1","attr2":123}
#> output.function_into_resource.variadic = ["test-value"]

# With an unknown argument the result is unknown, without a call.
#= function_unknown
#? functions
resource "terraform_data" "function_unknown" {
  input = "late"
}
resource "corner_kinds" "function_unknown" {
  string  = provider::corner::string(terraform_data.function_unknown.output)
  set     = provider::corner::set([terraform_data.function_unknown.output])
  dynamic = provider::corner::dynamic_variadic(1, terraform_data.function_unknown.output)
}
#> plan corner_kinds.function_unknown.string = (unknown)
#> plan corner_kinds.function_unknown.set = (unknown)
#> plan corner_kinds.function_unknown.dynamic = (unknown)
#> corner_kinds.function_unknown.string = "late"
#> corner_kinds.function_unknown.set = ["late"]
#> corner_kinds.function_unknown.dynamic = [1,"late"]

# One that takes unknown arguments may know its result.
#= function_takes_unknown
#? functions
resource "terraform_data" "function_takes_unknown" {
  input = "late"
}
resource "corner_kinds" "function_takes_unknown" {
  string = provider::corner::takes_unknown(terraform_data.function_takes_unknown.output)
}
#> plan corner_kinds.function_takes_unknown.string = "always the same"
#> corner_kinds.function_takes_unknown.string = "always the same"

#= function_number
#? functions
output "function_number" {
  value = [
    provider::corner::number(9223372036854775808),
    provider::corner::number(1 - 0.99),
    provider::corner::float32(1.23),
    provider::corner::float64(1.234567890),
    provider::corner::int32(-2147483648),
    provider::corner::int64(9223372036854775807),
  ]
}
#> output.function_number = [9223372036854775808,0.010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003,1.23,1.23456789,-2147483648,9223372036854775807]

#= function_collections
#? functions
output "function_collections" {
  value = {
    list  = provider::corner::list(["one", "two"])
    map   = provider::corner::map({ key1 = "value1", key2 = "value2" })
    set   = provider::corner::set(["two", "one", "two"])
    tuple = provider::corner::tuple(["one", 2])
    empty = provider::corner::list([])
  }
}
#> output.function_collections.list = ["one","two"]
#> output.function_collections.map = {"key1":"value1","key2":"value2"}
#> output.function_collections.set = ["one","two"]
#> output.function_collections.tuple = ["one",2]
#> output.function_collections.empty = []
#> type output.function_collections = ["object",{"empty":["list","string"],"list":["list","string"],"map":["map","string"],"set":["set","string"],"tuple":["tuple",["string","number"]]}]

#= function_string
#? functions
output "function_string" {
  value = provider::corner::string("e\u0301 \U0001F600 \"quoted\" $${text}")
}
#> output.function_string = "\u00e9 \ud83d\ude00 \"quoted\" ${text}"

#= function_object
#? functions
output "function_object" {
  value = provider::corner::object({ attr1 = "value1", attr2 = null })
}
#> output.function_object = {"attr1":"value1","attr2":null}

#= function_object_attribute_missing
#? functions
output "function_object_attribute_missing" {
  value = provider::corner::object({ attr1 = "value1" })
}
#> validate fails: attribute "attr2" is required

#= function_object_with_dynamic
#? functions
output "function_object_with_dynamic" {
  value = [
    provider::corner::object_with_dynamic({ any1 = "value1", any2 = true }),
    provider::corner::object_with_dynamic({ any1 = tolist([1, 2]), any2 = tomap({ a = "hello", b = true }) }),
    provider::corner::object_with_dynamic({ any1 = [1, 2], any2 = { a = "hello", b = true } }),
    provider::corner::object_with_dynamic({ any1 = null, any2 = "value2" }),
  ]
}
#> output.function_object_with_dynamic = [{"any1":"value1","any2":true},{"any1":[1,2],"any2":{"a":"hello","b":"true"}},{"any1":[1,2],"any2":{"a":"hello","b":true}},{"any1":null,"any2":"value2"}]
#> type output.function_object_with_dynamic = ["tuple",[["object",{"any1":"string","any2":"bool"}],["object",{"any1":["list","number"],"any2":["map","string"]}],["object",{"any1":["tuple",["number","number"]],"any2":["object",{"a":"string","b":"bool"}]}],["object",{"any1":"dynamic","any2":"string"}]]]

#= function_object_with_dynamic_attribute_missing
#? functions
output "function_object_with_dynamic_attribute_missing" {
  value = provider::corner::object_with_dynamic({ any1 = "value1" })
}
#> validate fails: attribute "any2" is required

#= function_dynamic
#? functions
output "function_dynamic" {
  value = [
    provider::corner::dynamic("test-value"),
    provider::corner::dynamic(tolist([true, false])),
    provider::corner::dynamic({ a = 1234.5, b = true, c = "hello" }),
    provider::corner::dynamic(toset(["b", "a"])),
  ]
}
#> output.function_dynamic = ["test-value",[true,false],{"a":1234.5,"b":true,"c":"hello"},["a","b"]]
#> type output.function_dynamic = ["tuple",["string",["list","bool"],["object",{"a":"number","b":"bool","c":"string"}],["set","string"]]]

#= function_variadic
#? functions
output "function_variadic" {
  value = [
    provider::corner::variadic(),
    provider::corner::variadic("one"),
    provider::corner::variadic("one", "two"),
    provider::corner::variadic(["three", "four"]...),
  ]
}
#> output.function_variadic = [[],["one"],["one","two"],["three","four"]]

#= function_dynamic_variadic
#? functions
output "function_dynamic_variadic" {
  value = [
    provider::corner::dynamic_variadic(),
    provider::corner::dynamic_variadic("one", "two"),
    provider::corner::dynamic_variadic({ a = 1234.5, b = true }, { a = 200, b = false }),
    provider::corner::dynamic_variadic(true, "string", 1234.5),
  ]
}
#> output.function_dynamic_variadic = [[],["one","two"],[{"a":1234.5,"b":true},{"a":200,"b":false}],[true,"string",1234.5]]
#> type output.function_dynamic_variadic = ["tuple",[["tuple",[]],["tuple",["string","string"]],["tuple",[["object",{"a":"number","b":"bool"}],["object",{"a":"number","b":"bool"}]]],["tuple",["bool","string","number"]]]]

# Null is an argument where that is allowed.
#= function_nullable
#? functions
output "function_nullable" {
  value = [
    provider::corner::nullable("one"),
    provider::corner::nullable("one", null, tostring(null), "two"),
    provider::corner::nullable_dynamic(tonumber(null)) == null ? "null" : "not null",
  ]
}
#> output.function_nullable = ["0 of 1 are null","2 of 4 are null","null"]

# Null without a type. OpenTofu takes it for unknown, and makes no call.
#= function_nullable_untyped
#? functions
#? terraform
output "function_nullable_untyped" {
  value = provider::corner::nullable_dynamic(null) == null ? "null" : "not null"
}
#> output.function_nullable_untyped = "null"
