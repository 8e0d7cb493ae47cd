# Actions: done when a resource changes, and never by themselves.

#= action_before_create
#? actions
resource "terraform_data" "action_before_create" {
  input = "one"
  lifecycle {
    action_trigger {
      events  = [before_create]
      actions = [action.corner_note.action_before_create]
    }
  }
}
action "corner_note" "action_before_create" {
  config {
    text = "created"
  }
}
#> journal 1 note created
#+
resource "terraform_data" "action_before_create" {
  input = "one"
  lifecycle {
    action_trigger {
      events  = [before_create]
      actions = [action.corner_note.action_before_create]
    }
  }
}
action "corner_note" "action_before_create" {
  config {
    text = "a change of its configuration does not invoke it"
  }
}
#> terraform_data.action_before_create: no-op
#> journal 0 note a change of its configuration does not invoke it
#+
resource "terraform_data" "action_before_create" {
  input = "two"
  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.corner_note.action_before_create]
    }
  }
}
action "corner_note" "action_before_create" {
  config {
    text = terraform_data.action_before_create.output
  }
}
#> terraform_data.action_before_create: update
#> journal 1 note two
#+
resource "terraform_data" "action_before_create" {
  input = "three"
  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.corner_note.action_before_create]
    }
  }
}
action "corner_note" "action_before_create" {
  config {
    text  = "never"
    fails = "plan"
  }
}
#> plan fails: This note cannot be planned
#+
resource "terraform_data" "action_before_create" {
  input = "three"
  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.corner_note.action_before_create]
    }
  }
}
action "corner_note" "action_before_create" {
  config {
    text  = "never"
    fails = "invoke"
  }
}
#> apply fails: This note cannot be written
#> journal 0 note never

#= action_invalid
#? actions
action "corner_note" "action_invalid" {
  config {
    fails = "plan"
  }
}
#> validate fails: "text" is required
