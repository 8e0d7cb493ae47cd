# What the pipeline applies: the image, from the files beside it.
terraform {
  required_version = ">= 1.10"

  # Bucket and key are told at init: -backend-config=bucket=… -backend-config=key=shop/terraform.tfstate
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    ecr = {
      source  = "registry.terraform.io/eks-deploy/ecr"
      version = ">= 0.1"
    }
  }
}

variable "repository" {
  description = "Where the image goes: output `repository` of the bootstrap."
  type        = string
}

variable "release" {
  description = "Tag of this release, next to `latest`: a version or a commit."
  type        = string
}

variable "base" {
  description = "Base image with a busybox httpd in it."
  type        = string
  default     = "docker.io/library/busybox:1.37"
}

# `deployed-production` keeps what runs from the repository's lifecycle rules.
resource "ecr_image" "web" {
  repository = var.repository
  tags       = ["latest", "deployed-production", var.release]

  files = {
    base       = var.base
    layers     = [{ source = "site", destination = "/www" }]
    entrypoint = ["httpd", "-f", "-p", "8080", "-h", "/www"]
    user       = "65532:65532"
  }
}

output "image" {
  description = "The image by digest, for the job that deploys."
  value       = ecr_image.web.uri
}
