terraform {
  required_providers {
    ecr = {
      source = "registry.terraform.io/eks-deploy/ecr"
    }
  }
}

# Region and credentials as everywhere in AWS: arguments, environment, shared files, the machine's role.
provider "ecr" {
  region = "eu-west-1"
}
