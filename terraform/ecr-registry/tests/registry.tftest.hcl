mock_provider "aws" {}

run "without_a_word_nothing_is_touched" {
  assert {
    condition     = length(aws_ecr_registry_scanning_configuration.this) + length(aws_ecr_replication_configuration.this) + length(aws_ecr_pull_through_cache_rule.this) + length(aws_ecr_repository_creation_template.this) == 0
    error_message = "a singleton that was not asked for would overwrite somebody else's"
  }
}

run "everything_at_once" {
  variables {
    scanning = { type = "ENHANCED", rules = { "shop/*" = "CONTINUOUS_SCAN", "tools/*" = "SCAN_ON_PUSH", "base/*" = "SCAN_ON_PUSH" } }
    replication = [{
      destinations        = [{ region = "eu-central-1", registry_id = "111122223333" }]
      repository_prefixes = ["shop/"]
    }]
    pull_through = {
      "ecr-public" = { upstream = "public.ecr.aws" }
      "docker-hub" = { upstream = "registry-1.docker.io", credential_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf" }
    }
    templates = {
      "docker-hub" = { applied_for = ["PULL_THROUGH_CACHE"] }
      "ROOT"       = { applied_for = ["REPLICATION"], image_tag_mutability = "IMMUTABLE", kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0f3c", role_arn = "arn:aws:iam::111122223333:role/ecr" }
    }
  }

  assert {
    condition = { for rule in aws_ecr_registry_scanning_configuration.this[0].rule : rule.scan_frequency => toset(rule.repository_filter[*].filter) } == {
      CONTINUOUS_SCAN = toset(["shop/*"])
      SCAN_ON_PUSH    = toset(["base/*", "tools/*"])
    }
    error_message = "filters of one frequency belong into one rule"
  }
  assert {
    condition     = one(one(aws_ecr_replication_configuration.this[0].replication_configuration[0].rule).repository_filter).filter == "shop/"
    error_message = "only what was named is copied"
  }
  assert {
    condition     = output.pull_through_prefixes == { "docker-hub" = "registry-1.docker.io", "ecr-public" = "public.ecr.aws" }
    error_message = "each prefix has its upstream"
  }
  assert {
    condition     = one(aws_ecr_repository_creation_template.this["docker-hub"].encryption_configuration).encryption_type == "AES256" && one(aws_ecr_repository_creation_template.this["ROOT"].encryption_configuration).encryption_type == "KMS"
    error_message = "images are encrypted by the key that was given, or by ECR's own"
  }
  assert {
    condition     = one(jsondecode(aws_ecr_repository_creation_template.this["docker-hub"].lifecycle_policy).rules).selection.tagStatus == "untagged"
    error_message = "a cache must not grow without end"
  }
}
