locals {
  services = toset(["api", "web"])
}

# What a release consists of, by digest: production gets the very images that staging ran.
data "ecr_image" "service" {
  for_each = local.services

  reference = "${var.registry}/${each.key}:${var.release}"
}

# What ECR's scan found decides when a release comes here, and not again while it runs.
resource "ecr_scan_gate" "service" {
  for_each = var.require_scan ? local.services : []

  image   = data.ecr_image.service[each.key].uri
  fail_on = var.environment == "production" ? "HIGH" : "CRITICAL"
}

module "ecr" {
  source = "../../../terraform/ecr"
  repositories = { for service in local.services : "${var.name}-${var.environment}/${service}" => {
    image_tag_mutability = "IMMUTABLE"
    force_delete         = var.force_delete
  } }
}

# An environment runs images of its own: nothing that happens to those of the release takes them away.
resource "ecr_image_copy" "service" {
  for_each = local.services

  source     = var.require_scan ? ecr_scan_gate.service[each.key].passed_uri : data.ecr_image.service[each.key].uri
  repository = module.ecr.repository_urls["${var.name}-${var.environment}/${each.key}"]
  tags       = [var.release]
}

module "network" {
  source = "../../../terraform/network"
  name   = "${var.name}-${var.environment}"
  cidr   = var.cidr
  nat    = var.environment == "production" ? "per_zone" : "one"
}

module "eks" {
  source              = "../../../terraform/eks"
  name                = "${var.name}-${var.environment}"
  kubernetes_version  = var.kubernetes_version
  subnet_ids          = module.network.private_subnet_ids
  public_access_cidrs = var.office_addresses

  access = {
    admin  = { principal_arn = var.admin_arn, policy = "ClusterAdmin" }
    deploy = { principal_arn = var.deployer_arn, policy = "Edit", namespaces = [var.name] }
  }

  tags = { environment = var.environment }
}
