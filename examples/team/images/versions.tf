terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
    ecr = {
      source  = "registry.terraform.io/eks-deploy/ecr"
      version = ">= 0.1"
    }
  }
}
