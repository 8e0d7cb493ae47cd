mock_provider "aws" {}

variables {
  repositories = {
    "shop/api"  = {}
    "shop/site" = { image_tag_mutability = "IMMUTABLE", scan_on_push = false, expire_untagged_days = 0, expire_source_days = 0, force_delete = true }
  }
}

run "by_default" {
  # Defaults lose nothing.
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
  assert {
    condition     = one(aws_ecr_repository.this["shop/api"].encryption_configuration).encryption_type == "AES256"
    error_message = "no key given: ECR's own encryption is expected"
  }
  assert {
    condition     = length(aws_ecr_repository_policy.this) == 0
    error_message = "nobody outside may pull unless someone says so"
  }

  # What runs is kept before anything expires.
  assert {
    condition = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["shop/api"].policy).rules : [rule.rulePriority, rule.selection]] == [
      [1, { tagStatus = "tagged", tagPrefixList = ["deployed-"], countType = "imageCountMoreThan", countNumber = 100000 }],
      [2, { tagStatus = "tagged", tagPrefixList = ["latest"], countType = "imageCountMoreThan", countNumber = 100000 }],
      [3, { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 30 }],
      [4, { tagStatus = "tagged", tagPrefixList = ["src-"], countType = "sinceImagePushed", countUnit = "days", countNumber = 180 }],
    ]
    error_message = "unexpected rules: ${aws_ecr_lifecycle_policy.this["shop/api"].policy}"
  }
  assert {
    condition     = alltrue([for rule in jsondecode(aws_ecr_lifecycle_policy.this["shop/api"].policy).rules : rule.action == { type = "expire" }])
    error_message = "ECR knows no other action"
  }

  # What is said is done.
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
    error_message = "no days must leave the repository without a rule"
  }
  assert {
    condition     = keys(output.repository_urls) == ["shop/api", "shop/site"]
    error_message = "every repository has its URL under its name"
  }
}

run "a_key_of_ones_own_is_used" {
  variables {
    repositories = { "shop/api" = { kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0f3c" } }
  }

  assert {
    condition     = one(aws_ecr_repository.this["shop/api"].encryption_configuration) == { encryption_type = "KMS", kms_key = "arn:aws:kms:eu-west-1:111122223333:key/0f3c" }
    error_message = "the repository must use the key that was given"
  }
}

run "other_accounts_may_pull_and_no_more" {
  variables {
    repositories = { "shop/api" = { pull_principals = ["arn:aws:iam::444455556666:root"] } }
  }

  assert {
    condition = jsondecode(aws_ecr_repository_policy.this["shop/api"].policy).Statement == [{
      Sid       = "Pull"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::444455556666:root"] }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
    error_message = "unexpected policy: ${aws_ecr_repository_policy.this["shop/api"].policy}"
  }
}
