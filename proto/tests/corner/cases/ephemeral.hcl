# Ephemeral resources: opened in each run that needs them, closed whatever happens, stored nowhere.

#= ephemeral_kinds
#? ephemeral
#? write-only
ephemeral "corner_kinds" "ephemeral_kinds" {
  bool                       = true
  dynamic                    = [true, { a = 1 }]
  list                       = ["b", "a"]
  map                        = { key1 = "value1" }
  number                     = 1 - 0.99
  object                     = { text = "value1" }
  set                        = ["b", "a", "b"]
  string                     = "value1"
  tuple                      = ["value1", 1]
  list_nested                = [{ text = "value1" }]
  map_nested                 = { key1 = { text = "value1" } }
  set_nested                 = [{ text = "value1" }]
  single_nested_with_dynamic = { any = tolist([1]) }
  list_block {
    text = "value1"
  }
  list_block_with_dynamic {
    any = 1
  }
  set_block {
    text = "value1"
  }
  single_block_with_dynamic {
    any = true
  }
}
resource "corner_echo" "ephemeral_kinds" {
  value_wo = ephemeral.corner_kinds.ephemeral_kinds
}
#> corner_echo.ephemeral_kinds.value_wo = null
#> corner_echo.ephemeral_kinds.value.bool = true
#> corner_echo.ephemeral_kinds.value.dynamic = [true,{"a":1}]
#> corner_echo.ephemeral_kinds.value.list = ["b","a"]
#> corner_echo.ephemeral_kinds.value.map = {"key1":"value1"}
#> corner_echo.ephemeral_kinds.value.number = 0.010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003
#> corner_echo.ephemeral_kinds.value.object = {"text":"value1"}
#> corner_echo.ephemeral_kinds.value.object_with_dynamic = null
#> corner_echo.ephemeral_kinds.value.set = ["a","b"]
#> corner_echo.ephemeral_kinds.value.tuple = ["value1",1]
#> corner_echo.ephemeral_kinds.value.list_nested = [{"text":"value1"}]
#> corner_echo.ephemeral_kinds.value.map_nested = {"key1":{"text":"value1"}}
#> corner_echo.ephemeral_kinds.value.set_nested = [{"text":"value1"}]
#> corner_echo.ephemeral_kinds.value.single_nested = null
#> corner_echo.ephemeral_kinds.value.single_nested_with_dynamic = {"any":[1]}
#> corner_echo.ephemeral_kinds.value.list_block = [{"text":"value1"}]
#> corner_echo.ephemeral_kinds.value.list_block_with_dynamic = [{"any":1}]
#> corner_echo.ephemeral_kinds.value.map_block = {}
#> corner_echo.ephemeral_kinds.value.set_block = [{"text":"value1"}]
#> corner_echo.ephemeral_kinds.value.single_block = null
#> corner_echo.ephemeral_kinds.value.single_block_with_dynamic = {"any":true}

#= ephemeral_none
#? ephemeral
#? write-only
ephemeral "corner_kinds" "ephemeral_none" {}
resource "corner_echo" "ephemeral_none" {
  value_wo = ephemeral.corner_kinds.ephemeral_none
}
#> corner_echo.ephemeral_none.value.bool = null
#> corner_echo.ephemeral_none.value.set_block = []
#> corner_echo.ephemeral_none.value.group_block = {"text":null}

# Opened once for the plan and once for apply; each of the two plans after it opens again.
#= ephemeral_lifecycle
#? ephemeral
#? write-only
ephemeral "corner_token" "ephemeral_lifecycle" {
  name  = "short"
  lasts = true
}
resource "corner_echo" "ephemeral_lifecycle" {
  value_wo = ephemeral.corner_token.ephemeral_lifecycle.token
}
#> corner_echo.ephemeral_lifecycle.value = "token of short"
#> journal 2 open short
#> journal 2 close short
#> journal 0 renew short

# Renewed for as long as something needs it.
#= ephemeral_renewal
#? ephemeral
#? write-only
ephemeral "corner_token" "ephemeral_renewal" {
  name = "long"
}
resource "corner_echo" "ephemeral_renewal" {
  value_wo     = ephemeral.corner_token.ephemeral_renewal.token
  milliseconds = 1500
}
#> corner_echo.ephemeral_renewal.value = "token of long"
#> journal 2+ renew long

# Not opened in the plan: its name is known at apply alone.
#= ephemeral_waits
#? ephemeral
#? write-only
resource "terraform_data" "ephemeral_waits" {
  input = "late"
}
ephemeral "corner_token" "ephemeral_waits" {
  name  = terraform_data.ephemeral_waits.output
  lasts = true
}
resource "corner_echo" "ephemeral_waits" {
  value_wo = ephemeral.corner_token.ephemeral_waits.token
}
#> corner_echo.ephemeral_waits.value = "token of late"
#> journal 1 open late
#> journal 1 close late

# What one opens, the other uses; the first is closed last.
#= ephemeral_chain
#? ephemeral
#? write-only
ephemeral "corner_token" "ephemeral_chain" {
  name  = "first"
  lasts = true
}
ephemeral "corner_token" "ephemeral_chain_end" {
  name  = ephemeral.corner_token.ephemeral_chain.token
  lasts = true
}
resource "corner_echo" "ephemeral_chain" {
  value_wo = ephemeral.corner_token.ephemeral_chain_end.token
}
#> corner_echo.ephemeral_chain.value = "token of token of first"

#= ephemeral_invalid
#? ephemeral
ephemeral "corner_token" "ephemeral_invalid" {
  name = ""
}
#> validate fails: A token needs a name

# One that cannot be opened. What is open already is not closed by these clients: they leave out whatever
# comes after an error.
#= ephemeral_refused
#? ephemeral
ephemeral "corner_token" "ephemeral_refused" {
  name  = "opened before"
  lasts = true
}
ephemeral "corner_token" "ephemeral_refused_then" {
  name = ephemeral.corner_token.ephemeral_refused.name == "opened before" ? "refused" : "other"
}
#> plan fails: There is no such token
#> journal 1 open opened before

# What depends on a use of it fails: that counts as a use, and it stays open, too.
#= ephemeral_error_afterwards
#? ephemeral
#? write-only
ephemeral "corner_token" "ephemeral_error_afterwards" {
  name  = "open while others fail"
  lasts = true
}
resource "corner_echo" "ephemeral_error_afterwards" {
  value_wo = ephemeral.corner_token.ephemeral_error_afterwards.token
}
resource "corner_fragile" "ephemeral_error_afterwards" {
  fails = "create"
  text  = corner_echo.ephemeral_error_afterwards.value
}
#> apply fails: The create stopped half-way
#> corner_echo.ephemeral_error_afterwards.value = "token of open while others fail"
#> journal 2 open open while others fail
#> journal 1+ close open while others fail
