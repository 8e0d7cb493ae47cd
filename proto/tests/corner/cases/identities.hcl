# Identities: what names a resource for ever.

#= identity
#? identity
resource "corner_person" "identity" {
  name = "tom"
}
#> corner_person.identity: create
#> corner_person.identity.id = "id-123"
#> identity corner_person.identity = {"id":"id-123","name":"tom"}
#+
resource "corner_person" "identity" {
  name = "tom"
  mood = "glad"
}
#> corner_person.identity: update
#> identity corner_person.identity = {"id":"id-123","name":"tom"}
#+
resource "corner_person" "identity" {
  name = "tim"
}
#> corner_person.identity: replace
#> identity corner_person.identity = {"id":"id-123","name":"tim"}

# Older clients know nothing of it.
#= identity_unseen
resource "corner_person" "identity_unseen" {
  name = "tom"
}
#> corner_person.identity_unseen.id = "id-123"

#= identity_import_by_id
import {
  to = corner_person.identity_import_by_id
  id = "tom"
}
resource "corner_person" "identity_import_by_id" {
  name = "tom"
}
#> corner_person.identity_import_by_id: import
#> corner_person.identity_import_by_id.id = "id-123"

#= identity_import
#? identity
import {
  to = corner_person.identity_import
  identity = {
    id   = "id-123"
    name = "tom"
  }
}
resource "corner_person" "identity_import" {
  name = "tom"
}
#> corner_person.identity_import: import
#> corner_person.identity_import.name = "tom"
#> identity corner_person.identity_import = {"id":"id-123","name":"tom"}
