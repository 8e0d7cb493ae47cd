# Credentials by eks-deploy: a token is made when one is needed, and is in no state.
provider "helm" {
  kubernetes {
    host                   = var.cluster.endpoint
    cluster_ca_certificate = base64decode(var.cluster.ca)

    exec {
      api_version = "client.authentication.k8s.io/v1beta1"
      command     = var.eks_deploy
      args        = ["token", "--cluster-name", var.cluster.name, "--region", var.cluster.region]
    }
  }
}

resource "helm_release" "web" {
  name             = "web"
  chart            = "${path.module}/../quickstart/chart"
  namespace        = var.namespace
  create_namespace = true
  atomic           = true # a version that does not come up is taken back
  timeout          = 300

  values = [yamlencode({ image = var.image, replicas = 1 })]
}
