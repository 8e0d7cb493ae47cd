terraform {
  required_version = ">= 1.10"

  # The bucket is told at init: terraform init -backend-config=bucket=…
  backend "s3" {
    key          = "hello/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }

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
