# State that goes over from another type, and from another provider.

#= move_from_another_provider
#? move
resource "terraform_data" "move_from_another_provider" {
  input = "hello world"
}
#+
moved {
  from = terraform_data.move_from_another_provider
  to   = corner_moved.move_from_another_provider
}
resource "corner_moved" "move_from_another_provider" {
  text = "hello world"
}
#> corner_moved.move_from_another_provider: no-op
#> corner_moved.move_from_another_provider.text = "hello world"
#> corner_moved.move_from_another_provider.origin = "terraform_data of terraform.io/builtin/terraform"
#> corner_moved.move_from_another_provider.text_wo = null

# With a write-only argument that the source never had.
#= move_to_write_only
#? move
#? write-only
resource "terraform_data" "move_to_write_only" {
  input = "hello world"
}
#+
moved {
  from = terraform_data.move_to_write_only
  to   = corner_moved.move_to_write_only
}
resource "corner_moved" "move_to_write_only" {
  text    = "hello world"
  text_wo = "fakepassword"
}
#> corner_moved.move_to_write_only: no-op
#> corner_moved.move_to_write_only.text_wo = null

# OpenTofu does not pass identities on.
#= move_with_identity
#? move
#? identity
#? terraform
resource "corner_person" "move_with_identity" {
  name = "tom"
}
#> identity corner_person.move_with_identity = {"id":"id-123","name":"tom"}
#+
moved {
  from = corner_person.move_with_identity
  to   = corner_moved.move_with_identity
}
resource "corner_moved" "move_with_identity" {
  text = "tom"
}
#> corner_moved.move_with_identity: no-op
#> corner_moved.move_with_identity.origin = "corner_person of example.com/tfplugin/corner"
#> identity corner_moved.move_with_identity = {"id":"moved with its identity"}

#= move_from_a_stranger
#? move
resource "corner_kinds" "move_from_a_stranger" {
  string = "hello"
}
#+
moved {
  from = corner_kinds.move_from_a_stranger
  to   = corner_moved.move_from_a_stranger
}
resource "corner_moved" "move_from_a_stranger" {}
#> plan fails: `corner_kinds` cannot become `corner_moved`
