# The cluster that you have, whoever made it.
data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

# Who deploys may work in one namespace and nowhere else.
resource "aws_eks_access_entry" "deployer" {
  cluster_name  = data.aws_eks_cluster.this.name
  principal_arn = var.deployer_arn
}

resource "aws_eks_access_policy_association" "deployer" {
  cluster_name  = data.aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.deployer.principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"

  access_scope {
    type       = "namespace"
    namespaces = [var.namespace]
  }
}

module "ecr" {
  source       = "../../terraform/ecr"
  repositories = { (var.repository) = { force_delete = var.force_delete } }
}

resource "ecr_image" "web" {
  repository = module.ecr.repository_urls[var.repository]

  files = {
    base       = var.base
    layers     = [{ source = "${path.module}/../quickstart/site", destination = "/www" }]
    entrypoint = ["httpd", "-f", "-p", "8080", "-h", "/www"]
    user       = "65532:65532"
  }
}
