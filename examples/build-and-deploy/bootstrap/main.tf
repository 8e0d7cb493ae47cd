# The bucket for the state of ../main. Applied once; its own state stays in this folder.
terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

variable "bucket" {
  description = "Name of the bucket. Default: `hello-tfstate-` and the account's number."
  type        = string
  default     = null
}

data "aws_caller_identity" "current" {}

module "state" {
  source = "../../../terraform/state-backend"
  bucket = coalesce(var.bucket, "hello-tfstate-${data.aws_caller_identity.current.account_id}")
}

output "bucket" {
  description = "Bucket for `terraform init -backend-config=bucket=…` in ../main."
  value       = module.state.bucket
}
