terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

variable "prefix" {
  description = "Beginning of the repositories' names."
  type        = string
  default     = "shop"
}

data "aws_caller_identity" "current" {}

# The key of its own is for who must be able to take the images from everybody at once.
resource "aws_kms_key" "images" {
  description         = "Images of ${var.prefix}"
  enable_key_rotation = true
}

module "ecr" {
  source = "../"
  repositories = {
    "${var.prefix}/api"  = { image_tag_mutability = "IMMUTABLE", kms_key_arn = aws_kms_key.images.arn }
    "${var.prefix}/site" = { pull_principals = ["arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"] }
  }
}

output "repository_urls" {
  description = "Where the images go, by the repository's name."
  value       = module.ecr.repository_urls
}
