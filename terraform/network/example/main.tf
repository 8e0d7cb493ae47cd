# One network with NAT for what pulls from anywhere, one without for what must not.
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
  description = "Beginning of the networks' names."
  type        = string
  default     = "shop"
}

module "open" {
  source = "../"
  name   = "${var.name}-open"
}

module "closed" {
  source = "../"
  name   = "${var.name}-closed"
  cidr   = "10.1.0.0/16"
  nat    = "none"
}

output "private_subnet_ids" {
  description = "Subnets for the nodes of a cluster."
  value       = { open = module.open.private_subnet_ids, closed = module.closed.private_subnet_ids }
}
