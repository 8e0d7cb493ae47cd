# Defaults in nested attributes and blocks, and text that may be written in more than one way.

#= default_nested
resource "corner_defaults" "default_nested" {
  list   = [{ value = "one" }, { other = "own" }, {}]
  map    = { a = { value = "one" }, b = {} }
  single = { other = "own" }
  list_block {
    value = "one"
  }
  list_block {}
  single_block {}
}
#> plan corner_defaults.default_nested.list = [{"other":"the default","value":"one"},{"other":"own","value":"zero"},{"other":"the default","value":"zero"}]
#> corner_defaults.default_nested.top = ["of","the","top"]
#> corner_defaults.default_nested.map = {"a":{"other":"the default","value":"one"},"b":{"other":"the default","value":"zero"}}
#> corner_defaults.default_nested.single = {"other":"own","value":"zero"}
#> corner_defaults.default_nested.list_block = [{"other":"the default","value":"one"},{"other":"the default","value":"zero"}]
#> corner_defaults.default_nested.single_block = {"other":"the default","value":"zero"}
#+
resource "corner_defaults" "default_nested" {
  list = [{}, { value = "one", other = "two" }]
  map  = { b = { value = "now" } }
  top  = []
}
#> corner_defaults.default_nested: update
#> corner_defaults.default_nested.list = [{"other":"the default","value":"zero"},{"other":"two","value":"one"}]
#> corner_defaults.default_nested.map = {"b":{"other":"the default","value":"now"}}
#> corner_defaults.default_nested.single = null
#> corner_defaults.default_nested.single_block = null
#> corner_defaults.default_nested.top = []
#+
resource "corner_defaults" "default_nested" {}
#> corner_defaults.default_nested: update
#> corner_defaults.default_nested.list = null
#> corner_defaults.default_nested.top = ["of","the","top"]

#= text_json
resource "corner_text" "text_json" {
  json = "test value"
}
#> validate fails: must be JSON
#+
resource "corner_text" "text_json" {
  json       = "{\n\t\"version\": 0,\n\t\"block\": {\"a\": [true, 1.50]}\n}\n"
  json_exact = "[ 1 ]"
}
#> corner_text.text_json.json = "{\n\t\"version\": 0,\n\t\"block\": {\"a\": [true, 1.50]}\n}\n"
#+
resource "corner_text" "text_json" {
  json       = jsonencode({ block = { a = [true, 1.5] }, version = 0 })
  json_exact = "[ 1 ]"
}
#> corner_text.text_json: update
#+
resource "corner_text" "text_json" {
  json       = " {\"version\":0,   \"block\":{\"a\":[true,1.5]}} "
  json_exact = "[1]"
}
#> corner_text.text_json: update
#> corner_text.text_json.json = "{\"block\":{\"a\":[true,1.5]},\"version\":0}"
#> corner_text.text_json.json_exact = "[1]"

#= text_ipv4
resource "corner_text" "text_ipv4" {
  ipv4      = "test value"
  ipv4_cidr = "192.0.2.146/33"
}
#> validate fails: must be an IPv4 address
#> validate fails: must be an IPv4 network
#+
resource "corner_text" "text_ipv4" {
  ipv4      = "192.0.2.146"
  ipv4_cidr = "192.0.2.146/24"
}
#> corner_text.text_ipv4.ipv4 = "192.0.2.146"
#> corner_text.text_ipv4.ipv4_cidr = "192.0.2.146/24"

#= text_ipv6
resource "corner_text" "text_ipv6" {
  ipv6      = "1050:::1"
  ipv6_cidr = "test value"
}
#> validate fails: must be an IPv6 address
#> validate fails: must be an IPv6 network
#+
resource "corner_text" "text_ipv6" {
  ipv6      = "1050:0000:0000:0000:0005:0600:300c:326b"
  ipv6_cidr = "1050:0000:0000:0000:0005:0600:300c:326b/64"
}
#> corner_text.text_ipv6.ipv6 = "1050:0000:0000:0000:0005:0600:300c:326b"
#+
resource "corner_text" "text_ipv6" {
  ipv6      = "1050::5:600:300c:326b"
  ipv6_cidr = "1050::5:600:300c:326b/64"
}
#> corner_text.text_ipv6: no-op
#> corner_text.text_ipv6.ipv6 = "1050:0000:0000:0000:0005:0600:300c:326b"
#+
resource "corner_text" "text_ipv6" {
  ipv6 = "ff06::c3"
}
#> corner_text.text_ipv6: update
#> corner_text.text_ipv6.ipv6 = "ff06::c3"

#= text_time
resource "corner_text" "text_time" {
  time     = "test value"
  duration = "invalid"
}
#> validate fails: must be an RFC 3339 time
#> validate fails: must be a duration
#+
resource "corner_text" "text_time" {
  time     = "1985-04-12T23:20:50.52Z"
  duration = "1h2m3s"
}
#> corner_text.text_time.time = "1985-04-12T23:20:50.52Z"
#> corner_text.text_time.duration = "1h2m3s"
#+
resource "corner_text" "text_time" {
  time     = "1985-04-13T00:20:50.52+01:00"
  duration = "3723s"
}
#> corner_text.text_time: no-op
#> corner_text.text_time.duration = "1h2m3s"
#+
resource "corner_text" "text_time" {}
#> corner_text.text_time: update
#> corner_text.text_time.time = null
