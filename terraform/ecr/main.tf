resource "aws_ecr_repository" "this" {
  for_each = var.repositories

  name                 = each.key
  image_tag_mutability = each.value.image_tag_mutability
  force_delete         = each.value.force_delete
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = each.value.scan_on_push
  }

  encryption_configuration {
    encryption_type = each.value.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = each.value.kms_key_arn
  }
}

# An image that one rule selects is out of reach of every rule after it. So the first rule, which in practice never
# expires anything, is what keeps images that the others would take.
locals {
  never = 100000 # more images than a repository holds

  rules = { for name, r in var.repositories : name => concat(
    length(r.keep_tag_prefixes) == 0 ? [] : [for prefix in r.keep_tag_prefixes : {
      description = "Keep ${prefix}*"
      selection   = { tagStatus = "tagged", tagPrefixList = [prefix], countType = "imageCountMoreThan", countNumber = local.never }
    }],
    r.expire_untagged_days == 0 ? [] : [{
      description = "Expire untagged images after ${r.expire_untagged_days} days"
      selection   = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = r.expire_untagged_days }
    }],
    r.expire_source_days == 0 ? [] : [{
      description = "Expire src-* after ${r.expire_source_days} days"
      selection   = { tagStatus = "tagged", tagPrefixList = ["src-"], countType = "sinceImagePushed", countUnit = "days", countNumber = r.expire_source_days }
    }],
  ) }

  expiring = { for name, r in var.repositories : name => r if r.expire_untagged_days > 0 || r.expire_source_days > 0 }
  shared   = { for name, r in var.repositories : name => r if length(r.pull_principals) > 0 }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = local.expiring

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    rules = [for index, rule in local.rules[each.key] : merge(rule, { rulePriority = index + 1, action = { type = "expire" } })]
  })
}

resource "aws_ecr_repository_policy" "this" {
  for_each = local.shared

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Pull"
      Effect    = "Allow"
      Principal = { AWS = sort(each.value.pull_principals) }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}
