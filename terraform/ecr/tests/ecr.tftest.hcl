mock_provider "aws" {}

variables {
  repositories = {
    "shop/api"  = {}
    "shop/site" = { image_tag_mutability = "IMMUTABLE", scan_on_push = false, expire_untagged_days = 0, force_delete = true }
  }
}

run "defaults_lose_nothing" {
  assert {
    condition     = !aws_ecr_repository.this["shop/api"].force_delete
    error_message = "a repository with images must not be deleted unless someone says so"
  }
  assert {
    condition     = aws_ecr_repository.this["shop/api"].image_scanning_configuration[0].scan_on_push
    error_message = "images are scanned on push by default"
  }
  assert {
    condition     = aws_ecr_repository.this["shop/api"].image_tag_mutability == "MUTABLE"
    error_message = "a tag such as latest must be able to move by default"
  }
}

run "only_untagged_images_expire" {
  assert {
    condition = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["shop/api"].policy).rules : rule.selection] == [{
      tagStatus   = "untagged"
      countType   = "sinceImagePushed"
      countUnit   = "days"
      countNumber = 30
    }]
    error_message = "a rule that selects a tag expires the image with all its tags"
  }
}

run "what_is_said_is_done" {
  assert {
    condition     = aws_ecr_repository.this["shop/site"].image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this["shop/site"].force_delete
    error_message = "the settings of shop/site were not used"
  }
  assert {
    condition     = !aws_ecr_repository.this["shop/site"].image_scanning_configuration[0].scan_on_push
    error_message = "scanning was switched off for shop/site"
  }
  assert {
    condition     = keys(aws_ecr_lifecycle_policy.this) == ["shop/api"]
    error_message = "expire_untagged_days = 0 must leave the repository without a rule"
  }
  assert {
    condition     = keys(output.repository_urls) == ["shop/api", "shop/site"]
    error_message = "every repository has its URL under its name"
  }
}

run "a_misspelt_mutability_is_refused" {
  command = plan

  variables {
    repositories = { "shop/api" = { image_tag_mutability = "mutable" } }
  }

  expect_failures = [var.repositories]
}

run "negative_days_are_refused" {
  command = plan

  variables {
    repositories = { "shop/api" = { expire_untagged_days = -1 } }
  }

  expect_failures = [var.repositories]
}
