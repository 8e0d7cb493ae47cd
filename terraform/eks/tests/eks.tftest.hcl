mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn                   = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
      endpoint              = "https://0123.gr7.eu-west-1.eks.amazonaws.com"
      certificate_authority = [{ data = "bW9jaw==" }]
    }
  }
}

variables {
  name       = "shop"
  subnet_ids = ["subnet-1", "subnet-2"]
  access = {
    admin    = { principal_arn = "arn:aws:iam::111122223333:role/admin", policy = "ClusterAdmin" }
    deployer = { principal_arn = "arn:aws:iam::111122223333:role/deploy", policy = "Edit", namespaces = ["shop"] }
  }
}

run "access_entries_are_the_only_way_in" {
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API"
    error_message = "the aws-auth map must not count"
  }
  assert {
    condition     = !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "who creates the cluster must not be administrator in silence"
  }
}

run "an_entry_without_namespaces_holds_in_the_whole_cluster" {
  assert {
    condition     = aws_eks_access_policy_association.this["admin"].access_scope[0].type == "cluster"
    error_message = "expected the scope cluster"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["admin"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    error_message = "unexpected policy ${aws_eks_access_policy_association.this["admin"].policy_arn}"
  }
}

run "an_entry_with_namespaces_holds_only_there" {
  assert {
    condition     = aws_eks_access_policy_association.this["deployer"].access_scope[0].type == "namespace"
    error_message = "expected the scope namespace"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["deployer"].access_scope[0].namespaces == toset(["shop"])
    error_message = "the deployer may work in shop and nowhere else"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["deployer"].principal_arn == "arn:aws:iam::111122223333:role/deploy"
    error_message = "the policy must go to the principal of its entry"
  }
}

run "nodes_pull_and_do_not_push" {
  assert {
    condition     = contains([for a in aws_iam_role_policy_attachment.node : a.policy_arn], "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly")
    error_message = "nodes must be able to pull from ECR"
  }
  assert {
    condition     = length(aws_iam_role_policy_attachment.node) == 3
    error_message = "nodes have three policies: join, network, pull"
  }
}

run "the_output_is_all_a_client_needs" {
  assert {
    condition = output.cluster == {
      name     = "shop"
      region   = "eu-west-1"
      endpoint = "https://0123.gr7.eu-west-1.eks.amazonaws.com"
      ca       = "bW9jaw=="
      arn      = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
    }
    error_message = "unexpected output: ${jsonencode(output.cluster)}"
  }
}

run "no_addresses_close_the_public_endpoint" {
  variables {
    public_access_cidrs = []
  }

  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "the endpoint must be private"
  }
}

run "an_unknown_policy_is_refused" {
  command = plan

  variables {
    access = { x = { principal_arn = "arn:aws:iam::111122223333:role/x", policy = "Root" } }
  }

  expect_failures = [var.access]
}
