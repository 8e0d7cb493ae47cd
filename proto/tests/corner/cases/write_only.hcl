# Write-only arguments reach the provider and stay nowhere.

#= secret_everywhere
#? write-only
resource "corner_secret" "secret_everywhere" {
  any_wo    = { a = [true] }
  list_wo   = ["fake", "password"]
  number_wo = 1 - 0.99
  text_wo   = "fakepassword"
  object_wo = {
    number = 1234
    list   = [{ text = "fakepassword1" }, { text = "fakepassword2" }]
  }
  map = {
    key1 = { text = "hello", number_wo = 10 }
    key2 = { text = "world", number_wo = 20 }
  }
  block {
    text    = "hello"
    text_wo = "fakepassword1"
    inner {
      flag    = true
      flag_wo = false
    }
  }
  block {
    text    = "world"
    text_wo = "fakepassword2"
    inner {
      flag    = false
      flag_wo = true
    }
  }
}
#> corner_secret.secret_everywhere: create
#> plan corner_secret.secret_everywhere.received = (unknown)
#> plan corner_secret.secret_everywhere.text_wo = null
#> plan corner_secret.secret_everywhere.object_wo = null
#> plan corner_secret.secret_everywhere.map = {"key1":{"number_wo":null,"text":"hello"},"key2":{"number_wo":null,"text":"world"}}
#> corner_secret.secret_everywhere.any_wo = null
#> corner_secret.secret_everywhere.list_wo = null
#> corner_secret.secret_everywhere.number_wo = null
#> corner_secret.secret_everywhere.text_wo = null
#> corner_secret.secret_everywhere.object_wo = null
#> corner_secret.secret_everywhere.map = {"key1":{"number_wo":null,"text":"hello"},"key2":{"number_wo":null,"text":"world"}}
#> corner_secret.secret_everywhere.block = [{"inner":{"flag":true,"flag_wo":null},"text":"hello","text_wo":null},{"inner":{"flag":false,"flag_wo":null},"text":"world","text_wo":null}]
#> corner_secret.secret_everywhere.received = ["any_wo.a[0]=true","block[0].inner.flag_wo=false","block[0].text_wo=fakepassword1","block[1].inner.flag_wo=true","block[1].text_wo=fakepassword2","list_wo[0]=fake","list_wo[1]=password","map.key1.number_wo=10","map.key2.number_wo=20","number_wo=0.010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003","object_wo.list[0].text=fakepassword1","object_wo.list[1].text=fakepassword2","object_wo.number=1234","text_wo=fakepassword"]
#+
resource "corner_secret" "secret_everywhere" {
  text_wo = "a new value alone changes nothing"
  map = {
    key1 = { text = "hello" }
    key2 = { text = "world" }
  }
  block {
    text = "hello"
    inner {
      flag = true
    }
  }
  block {
    text = "world"
    inner {
      flag = false
    }
  }
}
#> corner_secret.secret_everywhere: no-op
#+
resource "corner_secret" "secret_everywhere" {
  text    = "a change"
  text_wo = "another password"
}
#> corner_secret.secret_everywhere: update
#> corner_secret.secret_everywhere.text_wo = null
#> corner_secret.secret_everywhere.received = ["text_wo=another password"]

# A schema with write-only arguments is for older clients as well while nobody sets them.
#= secret_none
resource "corner_secret" "secret_none" {
  map = { key1 = { text = "hello" } }
  block {
    text = "hello"
    inner {
      flag = true
    }
  }
}
#> corner_secret.secret_none.received = []

# The value may be known at apply alone.
#= secret_unknown
#? write-only
resource "terraform_data" "secret_unknown" {
  input = "late"
}
resource "corner_secret" "secret_unknown" {
  text_wo = terraform_data.secret_unknown.output
}
#> corner_secret.secret_unknown.received = ["text_wo=late"]

#= secret_import
#? write-only
import {
  to = corner_secret.secret_import
  id = "hello world"
}
resource "corner_secret" "secret_import" {
  text    = "hello world"
  text_wo = "fakepassword"
}
#> corner_secret.secret_import: import
#> corner_secret.secret_import.text = "hello world"
#> corner_secret.secret_import.text_wo = null

# A provider that hands its write-only argument back in every answer.
#= secret_leak
#? write-only
resource "corner_leaky" "secret_leak" {
  text    = "old"
  text_wo = "hello world"
}
#> corner_leaky.secret_leak: create
#> plan corner_leaky.secret_leak.text_wo = null
#> corner_leaky.secret_leak.text_wo = null
#+
resource "corner_leaky" "secret_leak" {
  text    = "new"
  text_wo = "hello world"
}
#> corner_leaky.secret_leak: update
#> corner_leaky.secret_leak.text_wo = null

#= secret_leak_import
import {
  to = corner_leaky.secret_leak_import
  id = "old"
}
resource "corner_leaky" "secret_leak_import" {
  text = "old"
}
#> corner_leaky.secret_leak_import: import
#> corner_leaky.secret_leak_import.text_wo = null

#= secret_upgrade
#? write-only
resource "corner_upgrade" "secret_upgrade" {
  count_of = "12"
  text_wo  = "fakepassword"
}
#> corner_upgrade.secret_upgrade.count_of = "12"
#+
resource "corner_upgrade" "secret_upgrade" {
  count_of = 12
  text_wo  = "fakepassword"
}
#> corner_upgrade.secret_upgrade: no-op
#> corner_upgrade.secret_upgrade.count_of = 12
#> corner_upgrade.secret_upgrade.text_wo = null
#+
resource "corner_upgrade" "secret_upgrade" {
  count_of = 13
}
#> corner_upgrade.secret_upgrade: update
#> corner_upgrade.secret_upgrade.count_of = 13

# A password that is needed for creating alone.
#= once
#? write-only
resource "corner_once" "once" {
  trigger = "1"
}
#> plan fails: A password is needed to create it
#+
resource "corner_once" "once" {
  trigger     = "1"
  password_wo = "fakepassword"
}
#> corner_once.once: create
#> plan corner_once.once.password_wo = null
#> corner_once.once.password_wo = null
#+
resource "corner_once" "once" {
  trigger = "1"
}
#> corner_once.once: no-op
#+
resource "corner_once" "once" {
  trigger     = "1"
  password_wo = "this alone prompts no change"
}
#> corner_once.once: no-op
#+
resource "corner_once" "once" {
  trigger = "2"
}
#> plan fails: A password is needed to create it
#+
resource "corner_once" "once" {
  trigger     = "2"
  password_wo = "fakepassword"
}
#> corner_once.once: replace
#> corner_once.once.password_wo = null

# A version beside the password says when it changed.
#= password_version
#? write-only
resource "corner_password" "password_version" {}
#> validate fails: Missing argument
#+
resource "corner_password" "password_version" {
  password = "old"
}
#> corner_password.password_version: create
#> warns: The password is readable in the state
#> corner_password.password_version.password = "old"
#+
resource "corner_password" "password_version" {
  password            = "old"
  password_wo_version = "v1"
}
#> validate fails: password
#+
resource "corner_password" "password_version" {
  password_wo = "new"
}
#> validate fails: password_wo_version
#+
resource "corner_password" "password_version" {
  password_wo         = "new"
  password_wo_version = "v1"
}
#> corner_password.password_version: replace
#> corner_password.password_version.password = null
#> corner_password.password_version.password_wo = null
#+
resource "corner_password" "password_version" {
  password_wo         = "this alone prompts no change"
  password_wo_version = "v1"
}
#> corner_password.password_version: no-op
#+
resource "corner_password" "password_version" {
  password_wo_version = "v2"
}
#> validate fails: Missing argument
#+
resource "corner_password" "password_version" {
  password_wo         = "newer"
  password_wo_version = "v2"
}
#> corner_password.password_version: replace
#> corner_password.password_version.password_wo = null
#+
resource "corner_password" "password_version" {
  password = "old again"
}
#> corner_password.password_version: replace
#> corner_password.password_version.password = "old again"
