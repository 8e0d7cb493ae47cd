# The life of an ordinary resource.

#= user
resource "corner_user" "user" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 200
}
#> corner_user.user: create
#> plan corner_user.user.language = "en"
#> plan corner_user.user.id = (unknown)
#> corner_user.user.language = "en"
#> corner_user.user.id = "user:ford@prefect.co"
#> corner_user.user.greeting = "Ford Prefect speaks en"
#+
resource "corner_user" "user" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 201
}
#> corner_user.user: update
#> plan corner_user.user.id = "user:ford@prefect.co"
#> plan corner_user.user.greeting = "Ford Prefect speaks en"
#+
resource "corner_user" "user" {
  email    = "ford@prefect.co"
  name     = "Ford Prefect"
  age      = 201
  language = "es"
}
#> corner_user.user: update
#> plan corner_user.user.id = "user:ford@prefect.co"
#> plan corner_user.user.greeting = (unknown)
#> corner_user.user.greeting = "Ford Prefect speaks es"
#+
resource "corner_user" "user" {
  email = "jdoe@example.com"
  name  = "J Doe"
  age   = 18
}
#> corner_user.user: replace
#> corner_user.user.language = "en"
#> corner_user.user.id = "user:jdoe@example.com"

# What decides about a replacement is known only at apply.
#= user_unknown
resource "terraform_data" "user_unknown" {
  input = "es"
}
resource "corner_user" "user_unknown" {
  email    = "ford-${terraform_data.user_unknown.output}@prefect.co"
  name     = "Ford Prefect"
  age      = 200
  language = terraform_data.user_unknown.output
}
#> plan corner_user.user_unknown.language = (unknown)
#> corner_user.user_unknown.language = "es"
#> corner_user.user_unknown.id = "user:ford-es@prefect.co"
#+
resource "terraform_data" "user_unknown" {
  input = "fr"
}
resource "corner_user" "user_unknown" {
  email    = "ford-${terraform_data.user_unknown.output}@prefect.co"
  name     = "Ford Prefect"
  age      = 200
  language = terraform_data.user_unknown.output
}
#> corner_user.user_unknown: replace
#> corner_user.user_unknown.language = "fr"
#> corner_user.user_unknown.id = "user:ford-fr@prefect.co"

# A variable that the environment sets.
#= user_variable
variable "corner_user" {
  type = string
}
resource "corner_user" "user_variable" {
  email = "ford@prefect.co"
  name  = var.corner_user
  age   = 200
}
#> corner_user.user_variable.name = "Ford Prefect"

#= user_import
import {
  to = corner_user.user_import
  id = "ford@prefect.co"
}
resource "corner_user" "user_import" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 200
}
#> corner_user.user_import: update
#> corner_user.user_import.name = "Ford Prefect"

#= user_create_before_destroy
resource "corner_user" "user_create_before_destroy" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 200
  lifecycle {
    create_before_destroy = true
  }
}
#> corner_user.user_create_before_destroy: create
#+
resource "corner_user" "user_create_before_destroy" {
  email = "arthur@dent.co"
  name  = "Arthur Dent"
  age   = 30
  lifecycle {
    create_before_destroy = true
  }
}
#> corner_user.user_create_before_destroy: create, then destroy
#> corner_user.user_create_before_destroy.id = "user:arthur@dent.co"

#= user_ignored_change
resource "corner_user" "user_ignored_change" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 200
  lifecycle {
    ignore_changes = [name, email]
  }
}
#> corner_user.user_ignored_change: create
#+
resource "corner_user" "user_ignored_change" {
  email = "arthur@dent.co"
  name  = "Arthur Dent"
  age   = 200
  lifecycle {
    ignore_changes = [name, email]
  }
}
#> corner_user.user_ignored_change: no-op

#= user_renamed
resource "corner_user" "user_renamed" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 200
}
#> corner_user.user_renamed: create
#+
moved {
  from = corner_user.user_renamed
  to   = corner_user.user_renamed_to
}
resource "corner_user" "user_renamed_to" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 200
}
#> corner_user.user_renamed_to: no-op
#> corner_user.user_renamed_to.id = "user:ford@prefect.co"

#= user_missing_argument
resource "corner_user" "user_missing_argument" {
  email = "ford@prefect.co"
  age   = "many"
}
#> validate fails: "name" is required
#> validate fails: a number is required

# What exists is not forgotten when creating it fails half-way: it is tainted, and replaced.
#= half_created
resource "corner_fragile" "half_created" {
  fails = "create"
}
#> apply fails: The create stopped half-way
#> corner_fragile.half_created.id = "exists"
#> corner_fragile.half_created.late = null
#+
resource "corner_fragile" "half_created" {
  fails = "never"
}
#> corner_fragile.half_created: replace
#> corner_fragile.half_created.late = "done"

#= half_updated
resource "corner_fragile" "half_updated" {
  fails = "update"
  text  = "old"
}
#> corner_fragile.half_updated: create
#> corner_fragile.half_updated.late = "done"
#+
resource "corner_fragile" "half_updated" {
  fails = "update"
  text  = "new"
}
#> apply fails: The update stopped half-way
#> corner_fragile.half_updated.text = "new"
#> corner_fragile.half_updated.late = null
#+
resource "corner_fragile" "half_updated" {
  fails = "never"
  text  = "new"
}
#> corner_fragile.half_updated: update
#> corner_fragile.half_updated.late = "done"

# A data source that is never the same twice changes nothing by itself.
#= time
data "corner_time" "time" {}
resource "terraform_data" "time" {
  input = data.corner_time.time.current > 1700000000 ? "it is late" : "it is early"
}
#> terraform_data.time.input = "it is late"

#= user_too_young
resource "corner_user" "user_too_young" {
  email = "ford@prefect.co"
  name  = "Ford Prefect"
  age   = 17
}
#> validate fails: `age` must be a number
