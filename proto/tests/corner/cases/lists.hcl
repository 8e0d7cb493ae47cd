# Searches.

#= list_all
#? list
list "corner_person" "list_all" {
  provider = corner
}
#> query list.corner_person.list_all = [{"id":"id-123","name":"tim"},{"id":"id-123","name":"tom"},{"id":"id-123","name":"zoe"}]

#= list_some
#? list
list "corner_person" "list_some" {
  provider = corner
  config {
    prefix = "t"
  }
}
#> query list.corner_person.list_some = [{"id":"id-123","name":"tim"},{"id":"id-123","name":"tom"}]

#= list_limited
#? list
list "corner_person" "list_limited" {
  provider         = corner
  limit            = 1
  include_resource = true
}
#> query list.corner_person.list_limited = [{"id":"id-123","name":"tim"}]

#= list_none
#? list
list "corner_person" "list_none" {
  provider = corner
  config {
    prefix = "x"
  }
}
#> query list.corner_person.list_none = []

#= list_fails
#? list
list "corner_person" "list_fails" {
  provider = corner
  config {
    prefix = "nobody"
  }
}
#> query fails: Nobody may look for nobody
