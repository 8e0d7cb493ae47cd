# What a pipeline needs before its first run. Applied by an administrator; nothing in it is applied by the pipeline.
terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

module "state" {
  source = "../../../terraform/state-backend"
  bucket = var.bucket
  states = ["bootstrap", var.name]
}

module "ecr" {
  source       = "../../../terraform/ecr"
  repositories = { "${var.name}/web" = { force_delete = var.force_delete } }
}

module "ci" {
  source          = "../../../terraform/ci-role"
  name            = var.name
  github          = var.github
  gitlab          = var.gitlab
  repository_arns = values(module.ecr.repository_arns)
  state           = module.state.access[var.name]
  deploy = var.cluster_arn == null ? null : {
    cluster_arn      = var.cluster_arn
    namespaces       = [var.name]
    custom_resources = var.custom_resources
  }
}
