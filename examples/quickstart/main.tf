module "network" {
  source = "../../terraform/network"
  name   = var.name
}

module "ecr" {
  source       = "../../terraform/ecr"
  repositories = { (var.name) = { force_delete = var.force_delete } }
}

module "eks" {
  source              = "../../terraform/eks"
  name                = var.name
  kubernetes_version  = "1.34"
  subnet_ids          = module.network.private_subnet_ids
  public_access_cidrs = var.my_addresses
  access              = { admin = { principal_arn = data.aws_iam_session_context.current.issuer_arn, policy = "ClusterAdmin" } }
}

# Pages on a web server, without a Dockerfile or a daemon.
resource "ecr_image" "web" {
  repository = module.ecr.repository_urls[var.name]

  files = {
    base       = var.base
    layers     = [{ source = "${path.module}/site", destination = "/www" }]
    entrypoint = ["httpd", "-f", "-p", "8080", "-h", "/www"]
    user       = "65532:65532"
  }
}

data "aws_caller_identity" "current" {}

# The role behind whoever applies: access entries name roles, not their sessions.
data "aws_iam_session_context" "current" {
  arn = data.aws_caller_identity.current.arn
}
