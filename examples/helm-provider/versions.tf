terraform {
  required_version = ">= 1.10"

  required_providers {
    helm = {
      source  = "registry.terraform.io/hashicorp/helm"
      version = ">= 1.3, < 3" # the third writes `kubernetes = {` and `exec = {`
    }
  }
}
