# Arguments that functions refuse, and whom they blame.

#= function_null_bool
#? functions
output "function_null_bool" {
  value = provider::corner::bool(null)
}
#> validate fails: Invalid function argument

#= function_null_dynamic
#? functions
output "function_null_dynamic" {
  value = provider::corner::dynamic(null)
}
#> validate fails: Invalid function argument

#= function_null_dynamic_variadic
#? functions
output "function_null_dynamic_variadic" {
  value = provider::corner::dynamic_variadic(null)
}
#> validate fails: Invalid function argument

#= function_null_float32
#? functions
output "function_null_float32" {
  value = provider::corner::float32(null)
}
#> validate fails: Invalid function argument

#= function_null_float64
#? functions
output "function_null_float64" {
  value = provider::corner::float64(null)
}
#> validate fails: Invalid function argument

#= function_null_int32
#? functions
output "function_null_int32" {
  value = provider::corner::int32(null)
}
#> validate fails: Invalid function argument

#= function_null_int64
#? functions
output "function_null_int64" {
  value = provider::corner::int64(null)
}
#> validate fails: Invalid function argument

#= function_null_list
#? functions
output "function_null_list" {
  value = provider::corner::list(null)
}
#> validate fails: Invalid function argument

#= function_null_map
#? functions
output "function_null_map" {
  value = provider::corner::map(null)
}
#> validate fails: Invalid function argument

#= function_null_nullable
#? functions
output "function_null_nullable" {
  value = provider::corner::nullable(null)
}
#> validate fails: Invalid function argument

#= function_null_number
#? functions
output "function_null_number" {
  value = provider::corner::number(null)
}
#> validate fails: Invalid function argument

#= function_null_object
#? functions
output "function_null_object" {
  value = provider::corner::object(null)
}
#> validate fails: Invalid function argument

#= function_null_object_with_dynamic
#? functions
output "function_null_object_with_dynamic" {
  value = provider::corner::object_with_dynamic(null)
}
#> validate fails: Invalid function argument

#= function_null_set
#? functions
output "function_null_set" {
  value = provider::corner::set(null)
}
#> validate fails: Invalid function argument

#= function_null_string
#? functions
output "function_null_string" {
  value = provider::corner::string(null)
}
#> validate fails: Invalid function argument

#= function_null_tuple
#? functions
output "function_null_tuple" {
  value = provider::corner::tuple(null)
}
#> validate fails: Invalid function argument

#= function_null_variadic
#? functions
output "function_null_variadic" {
  value = provider::corner::variadic("one", null)
}
#> validate fails: Invalid function argument

#= function_typed_null_dynamic
#? functions
output "function_typed_null_dynamic" {
  value = provider::corner::dynamic(tobool(null))
}
#> validate fails: Invalid function argument

#= function_typed_null_dynamic_variadic
#? functions
output "function_typed_null_dynamic_variadic" {
  value = provider::corner::dynamic_variadic(tobool(null))
}
#> validate fails: Invalid function argument

#= function_typed_null_string
#? functions
output "function_typed_null_string" {
  value = provider::corner::string(tostring(null))
}
#> validate fails: Invalid function argument

#= function_error_float32_overflow
#? functions
output "function_error_float32_overflow" {
  value = provider::corner::float32(3.40282346638528859811704183484516925440e+39)
}
#> validate fails: is not a 32-bit float

#= function_error_float32_negative_overflow
#? functions
output "function_error_float32_negative_overflow" {
  value = provider::corner::float32(-3.40282346638528859811704183484516925440e+39)
}
#> validate fails: is not a 32-bit float

#= function_error_float32_underflow
#? functions
output "function_error_float32_underflow" {
  value = provider::corner::float32(1.401298464324817070923729583289916131280e-46)
}
#> validate fails: is not a 32-bit float

#= function_error_float32_negative_underflow
#? functions
output "function_error_float32_negative_underflow" {
  value = provider::corner::float32(-1.401298464324817070923729583289916131280e-46)
}
#> validate fails: is not a 32-bit float

#= function_error_float64_overflow
#? functions
output "function_error_float64_overflow" {
  value = provider::corner::float64(1e400)
}
#> validate fails: is not a 64-bit float

#= function_error_float64_underflow
#? functions
output "function_error_float64_underflow" {
  value = provider::corner::float64(1e-400)
}
#> validate fails: is not a 64-bit float

#= function_error_int32_overflow
#? functions
output "function_error_int32_overflow" {
  value = provider::corner::int32(2147483648)
}
#> validate fails: 2147483648 is not a 32-bit integer

#= function_error_int32_fraction
#? functions
output "function_error_int32_fraction" {
  value = provider::corner::int32(1.5)
}
#> validate fails: 1.5 is not a 32-bit integer

#= function_error_int64_overflow
#? functions
output "function_error_int64_overflow" {
  value = provider::corner::int64(9223372036854775808)
}
#> validate fails: 9223372036854775808 is not a 64-bit integer

#= function_error_wrong_type
#? functions
output "function_error_wrong_type" {
  value = provider::corner::bool("perhaps")
}
#> validate fails: a bool is required

#= function_error_blames_first
#? functions
output "function_error_blames_first" {
  value = provider::corner::blames("not a bool", "a")
}
#> validate fails: a bool is required

#= function_error_blames_last
#? functions
output "function_error_blames_last" {
  value = provider::corner::blames(true, "a", "")
}
#> validate fails: this text is empty

#= function_error_blames_nobody
#? functions
output "function_error_blames_nobody" {
  value = provider::corner::blames(false)
}
#> validate fails: nobody is to blame
