# Where the service runs, and the repositories its images go to.
module "network" {
  source = "../../../terraform/network"
  name   = var.name
}

module "ecr" {
  source = "../../../terraform/ecr"
  repositories = {
    "${var.name}/api"  = { force_delete = var.force_delete }
    "${var.name}/site" = { force_delete = var.force_delete }
  }
}

module "eks" {
  source             = "../../../terraform/eks"
  name               = var.name
  kubernetes_version = var.kubernetes_version
  subnet_ids         = module.network.private_subnet_ids
  # So that the example works from where you sit. A cluster that lasts names its own addresses, or none.
  public_access_cidrs         = ["0.0.0.0/0"]
  public_access_from_anywhere = true
  access                      = { for arn in local.admins : arn => { principal_arn = arn, policy = "ClusterAdmin" } }
}

data "aws_caller_identity" "current" {}

# The role behind an assumed role: access entries name roles, not their sessions.
data "aws_iam_session_context" "current" {
  arn = data.aws_caller_identity.current.arn
}

locals {
  admins = coalescelist(var.admins, [data.aws_iam_session_context.current.issuer_arn])
}
