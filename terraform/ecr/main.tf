resource "aws_ecr_repository" "this" {
  for_each = var.repositories

  name                 = each.key
  image_tag_mutability = each.value.image_tag_mutability
  force_delete         = each.value.force_delete
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = each.value.scan_on_push
  }
}

# Untagged images only. A rule for `src-*` would be a trap: ECR expires the image with all of its
# tags, so the first rule that matches one tag also takes the release that is running.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = { for name, repository in var.repositories : name => repository if repository.expire_untagged_days > 0 }

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Expire untagged images after ${each.value.expire_untagged_days} days"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = each.value.expire_untagged_days
      }
      action = { type = "expire" }
    }]
  })
}
