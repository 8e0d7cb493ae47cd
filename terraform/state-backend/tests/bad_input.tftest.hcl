mock_provider "aws" {}

variables {
  bucket = "shop-tfstate"
}

run "words_that_aws_refuses" {
  command = plan
  variables {
    bucket       = "Shop_state"
    states       = ["shop/*"]
    kms_key_arn  = "alias/state"
    old_versions = { newest = 0 }
  }
  expect_failures = [var.bucket, var.states, var.kms_key_arn, var.old_versions]
}

run "a_bucket_with_dots_and_a_path_out" {
  command = plan
  variables {
    bucket       = "shop.tfstate"
    states       = ["../shop"]
    old_versions = { days = 0 }
  }
  expect_failures = [var.bucket, var.states, var.old_versions]
}

run "a_suffix_that_s3_keeps_for_itself" {
  command = plan
  variables {
    bucket = "shop-tfstate-s3alias"
  }
  expect_failures = [var.bucket]
}

run "a_bucket_that_logs_into_itself" {
  command = plan
  variables {
    access_log = { bucket = "shop-tfstate" }
  }
  expect_failures = [var.access_log]
}
