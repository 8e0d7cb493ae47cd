# Numbers are decimals of any length. Each case is read back as text, digit by digit.

#= number_tenth
resource "corner_number" "number_tenth" {
  value = 0.1
}
#> corner_number.number_tenth: create
#> plan corner_number.number_tenth.float = (unknown)
#> corner_number.number_tenth.value = 0.1
#> corner_number.number_tenth.float = 0.1
#> corner_number.number_tenth.integer = null
#> corner_number.number_tenth.text = "0.1"

# The difference has 156 digits in Terraform's arithmetic, where a float has 17.
#= number_long_fraction
resource "corner_number" "number_long_fraction" {
  value = 1 - 0.99
}
#> corner_number.number_long_fraction.value = 0.010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003
#> corner_number.number_long_fraction.float = 0.01
#+
resource "corner_number" "number_long_fraction" {
  value = 1 - 0.98
}
#> corner_number.number_long_fraction: update
#> corner_number.number_long_fraction.value = 0.020000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006
#> corner_number.number_long_fraction.float = 0.02

# Equal as floats, different as decimals: a change.
#= number_more_digits
resource "corner_number" "number_more_digits" {
  value = 0.01
}
#> corner_number.number_more_digits.value = 0.01
#+
resource "corner_number" "number_more_digits" {
  value = 1 - 0.99
}
#> corner_number.number_more_digits: update
#> corner_number.number_more_digits.float = 0.01

#= number_third
resource "corner_number" "number_third" {
  value = 100 / 3
}
#> corner_number.number_third.float = 33.333333333333336

# The last 64-bit integer and its neighbours.
#= number_i64_max
resource "corner_number" "number_i64_max" {
  value = 9223372036854775807
}
#> corner_number.number_i64_max.value = 9223372036854775807
#> corner_number.number_i64_max.integer = 9223372036854775807
#> corner_number.number_i64_max.text = "9223372036854775807"

#= number_i64_min
resource "corner_number" "number_i64_min" {
  value = -9223372036854775808
}
#> corner_number.number_i64_min.integer = -9223372036854775808

#= number_two_to_63
resource "corner_number" "number_two_to_63" {
  value = 9223372036854775808
}
#> corner_number.number_two_to_63.value = 9223372036854775808
#> corner_number.number_two_to_63.integer = null
#> corner_number.number_two_to_63.text = "9223372036854775808"
#+
resource "corner_number" "number_two_to_63" {
  value = 9223372036854775809
}
#> corner_number.number_two_to_63: update
#> corner_number.number_two_to_63.text = "9223372036854775809"

#= number_u64_max
resource "corner_number" "number_u64_max" {
  value = 18446744073709551615
}
#> corner_number.number_u64_max.value = 18446744073709551615
#> corner_number.number_u64_max.integer = null

# As many bits as Terraform computes with, and every one of them counts.
#= number_512_bits
resource "corner_number" "number_512_bits" {
  value = 13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298166903427690031858186486050853753882811946569946433649006084095
}
#> corner_number.number_512_bits.text = "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298166903427690031858186486050853753882811946569946433649006084095"

# The greatest 32-bit float is an integer that 32 and 64 bits of float hold exactly.
#= number_greatest_float32
resource "corner_number" "number_greatest_float32" {
  value = 340282346638528859811704183484516925440
}
#> corner_number.number_greatest_float32.text = "340282346638528859811704183484516925440"
#+
resource "corner_number" "number_greatest_float32" {
  value = 3.40282346638528859811704183484516925440e+38
}
#> corner_number.number_greatest_float32: no-op
#> corner_number.number_greatest_float32.text = "340282346638528859811704183484516925440"
#+
resource "corner_number" "number_greatest_float32" {
  value = 340282346638528860000000000000000000000
}
#> corner_number.number_greatest_float32: update
#> corner_number.number_greatest_float32.text = "340282346638528860000000000000000000000"
#+
resource "corner_number" "number_greatest_float32" {
  value = 3.4028234663852886e+38
}
#> corner_number.number_greatest_float32: no-op

#= number_exact_float
resource "corner_number" "number_exact_float" {
  value = 1234.5
}
#> corner_number.number_exact_float.value = 1234.5
#> corner_number.number_exact_float.float = 1234.5
#> corner_number.number_exact_float.integer = null

#= number_zero
resource "corner_number" "number_zero" {
  value = -0.0
}
#> corner_number.number_zero.integer = 0
#> corner_number.number_zero.text = "0"

# 1.0 and 1 are the same number.
#= number_written_otherwise
resource "corner_number" "number_written_otherwise" {
  value = 1.0
}
#> corner_number.number_written_otherwise.integer = 1
#+
resource "corner_number" "number_written_otherwise" {
  value = "1"
}
#> corner_number.number_written_otherwise: no-op

# Terraform can compute infinity, and cannot store it.
#= number_infinite
resource "corner_number" "number_infinite" {
  value = 1 / 0
}
#> validate fails: must be a finite number
