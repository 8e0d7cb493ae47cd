mock_provider "aws" {}

run "unknown_words" {
  command = plan
  variables {
    scanning     = { type = "BASIC", rules = { "*" = "CONTINUOUS_SCAN" } }
    replication  = [{ destinations = [{ region = "Frankfurt", registry_id = "111122223333" }] }]
    pull_through = { "docker-hub" = { upstream = "https://registry-1.docker.io" } }
    templates    = { "ROOT" = { applied_for = ["PUSH"] } }
  }
  expect_failures = [var.scanning, var.replication, var.pull_through, var.templates]
}

run "missing_words" {
  command = plan
  variables {
    scanning     = { type = "DEEP", rules = {} }
    replication  = [{ destinations = [] }]
    pull_through = { "docker-hub" = { upstream = "registry-1.docker.io" } }
    templates    = { "ROOT" = { applied_for = ["REPLICATION"], kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0f3c" } }
  }
  expect_failures = [var.scanning, var.replication, var.pull_through, var.templates]
}

run "names_that_ecr_refuses" {
  command = plan
  variables {
    scanning     = { rules = { "Shop/*" = "SCAN_ON_PUSH" } }
    replication  = [{ destinations = [{ region = "eu-west-1", registry_id = "1111" }] }]
    pull_through = { "Docker" = { upstream = "public.ecr.aws" } }
    templates    = { "ROOT" = { applied_for = ["REPLICATION"], image_tag_mutability = "immutable" } }
  }
  expect_failures = [var.scanning, var.replication, var.pull_through, var.templates]
}

run "a_secret_that_ecr_does_not_read" {
  command = plan
  variables {
    pull_through = { "docker-hub" = { upstream = "registry-1.docker.io", credential_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hub" } }
    templates    = { "ROOT" = { applied_for = ["REPLICATION"], expire_untagged_days = -1 } }
  }
  expect_failures = [var.pull_through, var.templates]
}
