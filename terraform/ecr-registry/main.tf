# One of each in an account and region. Two configurations that both hold this module overwrite each other's rules.

resource "aws_ecr_registry_scanning_configuration" "this" {
  count = var.scanning == null ? 0 : 1

  scan_type = var.scanning.type

  dynamic "rule" {
    for_each = toset(values(var.scanning.rules))
    content {
      scan_frequency = rule.value

      dynamic "repository_filter" {
        for_each = toset([for filter, frequency in var.scanning.rules : filter if frequency == rule.value])
        content {
          filter      = repository_filter.value
          filter_type = "WILDCARD"
        }
      }
    }
  }
}

resource "aws_ecr_replication_configuration" "this" {
  count = length(var.replication) == 0 ? 0 : 1

  replication_configuration {
    dynamic "rule" {
      for_each = var.replication
      content {
        dynamic "destination" {
          for_each = rule.value.destinations
          content {
            region      = destination.value.region
            registry_id = destination.value.registry_id
          }
        }

        dynamic "repository_filter" {
          for_each = rule.value.repository_prefixes
          content {
            filter      = repository_filter.value
            filter_type = "PREFIX_MATCH"
          }
        }
      }
    }
  }
}

resource "aws_ecr_pull_through_cache_rule" "this" {
  for_each = var.pull_through

  ecr_repository_prefix = each.key
  upstream_registry_url = each.value.upstream
  credential_arn        = each.value.credential_arn
}

resource "aws_ecr_repository_creation_template" "this" {
  for_each = var.templates

  prefix               = each.key
  applied_for          = each.value.applied_for
  image_tag_mutability = each.value.image_tag_mutability
  custom_role_arn      = each.value.role_arn

  encryption_configuration {
    encryption_type = each.value.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = each.value.kms_key_arn
  }

  lifecycle_policy = each.value.expire_untagged_days == 0 ? null : jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Expire untagged images after ${each.value.expire_untagged_days} days"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = each.value.expire_untagged_days }
      action       = { type = "expire" }
    }]
  })
}
