# The bucket for the states of a team. Applied once, by an administrator, in the two steps that the README says.
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
  description = "Name of the bucket, unique in all of AWS."
  type        = string
}

module "state" {
  source = "../"
  bucket = var.bucket
  states = ["bootstrap", "shop"]
}

output "backend" {
  description = "The block for this configuration's own state: write it into backend.tf."
  value       = module.state.backend["bootstrap"]
}

output "shop_backend" {
  description = "The block for the configuration of the shop."
  value       = module.state.backend["shop"]
}

output "access" {
  description = "The policies for the shop's pipeline: `read` and `write`."
  value       = module.state.access["shop"]
}
