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

  # A role per account, by the account in the repository's name.
  account_roles = {
    "123456789012" = "arn:aws:iam::123456789012:role/image-push"
  }

  # Labels of every image, beside its own.
  default_labels = {
    "org.opencontainers.image.vendor" = "shop"
  }
}
