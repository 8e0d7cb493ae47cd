mock_provider "aws" {}

run "a_name_with_capitals" {
  command = plan
  variables {
    repositories = { "Shop/api" = {} }
  }
  expect_failures = [var.repositories]
}

run "a_name_with_two_slashes" {
  command = plan
  variables {
    repositories = { "shop//api" = {} }
  }
  expect_failures = [var.repositories]
}

run "a_name_of_one_letter" {
  command = plan
  variables {
    repositories = { "a" = {} }
  }
  expect_failures = [var.repositories]
}

run "a_misspelt_mutability" {
  command = plan
  variables {
    repositories = { "shop/api" = { image_tag_mutability = "mutable" } }
  }
  expect_failures = [var.repositories]
}

run "negative_days" {
  command = plan
  variables {
    repositories = { "shop/api" = { expire_untagged_days = -1 } }
  }
  expect_failures = [var.repositories]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    repositories = { "shop/api" = { kms_key_arn = "alias/images" } }
  }
  expect_failures = [var.repositories]
}

run "a_prefix_that_keeps_everything" {
  command = plan
  variables {
    repositories = { "shop/api" = { keep_tag_prefixes = ["s"] } }
  }
  expect_failures = [var.repositories]
}

run "a_prefix_with_a_wildcard" {
  command = plan
  variables {
    repositories = { "shop/api" = { keep_tag_prefixes = ["v*"] } }
  }
  expect_failures = [var.repositories]
}

run "everyone_as_who_may_pull" {
  command = plan
  variables {
    repositories = { "shop/api" = { pull_principals = ["*"] } }
  }
  expect_failures = [var.repositories]
}

run "an_assumed_role_as_who_may_pull" {
  command = plan
  variables {
    repositories = { "shop/api" = { pull_principals = ["arn:aws:sts::444455556666:assumed-role/ci/run"] } }
  }
  expect_failures = [var.repositories]
}
