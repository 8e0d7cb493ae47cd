# A service whose Dockerfile runs things, on a runner that has no Docker: the fleet builds each platform on a builder of its
# own, and one index is pushed.
terraform {
  required_version = ">= 1.10"

  required_providers {
    ecr = {
      source  = "registry.terraform.io/eks-deploy/ecr"
      version = ">= 0.1"
    }
  }
}

provider "ecr" {
  builder = {
    engine = "buildkit"
    endpoints = [for address, platforms in var.builders : {
      address     = address
      platforms   = platforms
      ca_file     = "${var.keys}/ca.pem"
      cert_file   = "${var.keys}/client.pem"
      key_file    = "${var.keys}/client.key"
      server_name = "buildkit"
    }]
  }
}

variable "builders" {
  description = "Addresses of the builders, and what each builds for."
  type        = map(set(string))
  default = {
    "tcp://buildkit-0.buildkit.buildkit.svc:1234" = ["linux/amd64"]
    "tcp://arm-0.buildkit.buildkit.svc:1234"      = ["linux/arm64"]
  }
}

variable "keys" {
  description = "Folder with `ca.pem`, `client.pem` and `client.key`."
  type        = string
}

variable "repository" {
  description = "URL of the service's repository."
  type        = string
}

variable "base" {
  description = "Image with a shell, for the Dockerfile's first stage."
  type        = string
  default     = "docker.io/library/busybox:1.37"
}

resource "ecr_image" "pages" {
  repository = var.repository
  platforms  = keys({ for platform in flatten(values(var.builders)) : platform => true })

  build = {
    context = "${path.module}/pages"
    args    = { BASE = var.base }
  }
}

output "image" {
  description = "The image by digest."
  value       = ecr_image.pages.uri
}

output "platforms" {
  description = "Digest of each platform's image."
  value       = ecr_image.pages.platform_digests
}
