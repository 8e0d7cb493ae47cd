terraform {
  required_version = ">= 1.10"

  required_providers {
    ecr = {
      source  = "registry.terraform.io/eks-deploy/ecr"
      version = ">= 0.1"
    }
    tls = {
      source  = "registry.terraform.io/hashicorp/tls"
      version = ">= 4.0, < 5"
    }
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}
