# Held by one configuration in an account and region, and by no other.
terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

module "registry" {
  source = "../"

  scanning     = {}
  replication  = [{ destinations = [{ region = "eu-central-1", registry_id = "111122223333" }], repository_prefixes = ["shop/"] }]
  pull_through = { "ecr-public" = { upstream = "public.ecr.aws" } }
  templates    = { "ecr-public" = { applied_for = ["PULL_THROUGH_CACHE"] } }
}
