# A cluster in a network of its own, whose API server the internet does not reach.
terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

variable "name" {
  description = "Name of the cluster and its network."
  type        = string
  default     = "shop"
}

variable "admin_arn" {
  description = "ARN of the IAM role or user that administers the cluster."
  type        = string
}

module "network" {
  source = "../../network"
  name   = var.name
}

module "eks" {
  source             = "../"
  name               = var.name
  kubernetes_version = "1.34"
  subnet_ids         = module.network.private_subnet_ids
  access             = { admin = { principal_arn = var.admin_arn, policy = "ClusterAdmin" } }
  node_groups = {
    default = {}
    arm     = { architecture = "arm64", os = "bottlerocket", min_size = 0 }
  }
}

output "cluster" {
  description = "What eks-deploy needs to know of the cluster."
  value       = module.eks.cluster
}
