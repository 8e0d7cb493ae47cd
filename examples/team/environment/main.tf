# What a release consists of, by digest: production gets the very images that staging ran.
data "ecr_image" "service" {
  for_each = toset(["api", "web"])

  reference = "${var.registry}/${each.key}:${var.release}"
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
