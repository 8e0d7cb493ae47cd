mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
}

variables {
  name       = "shop"
  subnet_ids = ["subnet-1", "subnet-2"]
  access     = { admin = { principal_arn = "arn:aws:iam::111122223333:role/admin", policy = "ClusterAdmin" } }
}

run "words_that_aws_refuses" {
  command = plan
  variables {
    name                = "my shop"
    kubernetes_version  = "1.29"
    subnet_ids          = ["subnet-1", "subnet-1"]
    access              = { x = { principal_arn = "arn:aws:iam::111122223333:role/x", policy = "Root" } }
    public_access_cidrs = ["my office"]
    secrets_kms_key_arn = "alias/secrets"
    node_groups         = { default = { os = "windows" } }
    addon_versions      = { cni = "v1" }
    log_types           = ["everything"]
    log_retention_days  = 42
  }
  expect_failures = [
    var.name, var.kubernetes_version, var.subnet_ids, var.access, var.public_access_cidrs, var.secrets_kms_key_arn,
    var.node_groups, var.addon_versions, var.log_types, var.log_retention_days,
  ]
}

run "a_version_of_the_future_and_a_session_as_administrator" {
  command = plan
  variables {
    kubernetes_version = "1.99"
    access             = { admin = { principal_arn = "arn:aws:sts::111122223333:assumed-role/admin/me", policy = "ClusterAdmin" } }
    node_groups        = { default = { min_size = 3, max_size = 2 } }
  }
  expect_failures = [var.kubernetes_version, var.access, var.node_groups]
}

run "nobody_to_administer_and_the_whole_internet" {
  command = plan
  variables {
    access              = { ci = { principal_arn = "arn:aws:iam::111122223333:role/ci", policy = "ClusterAdmin", namespaces = ["shop"] } }
    public_access_cidrs = ["0.0.0.0/0"]
    node_groups         = { default = { architecture = "arm64", instance_types = ["m7i.large"] } }
  }
  expect_failures = [var.access, var.public_access_cidrs, var.node_groups]
}

run "half_the_internet_and_a_group_of_eks_itself" {
  command = plan
  variables {
    access = {
      admin = { principal_arn = "arn:aws:iam::111122223333:role/admin", policy = "ClusterAdmin" }
      ci    = { principal_arn = "arn:aws:iam::111122223333:role/ci", kubernetes_groups = ["system:masters"] }
    }
    public_access_cidrs = ["0.0.0.0/1"]
    node_groups         = { default = { instance_types = ["t4g.medium"] } }
  }
  expect_failures = [var.access, var.public_access_cidrs, var.node_groups]
}

run "an_entry_that_gives_nothing_and_an_unknown_pool" {
  command = plan
  variables {
    access = {
      admin = { principal_arn = "arn:aws:iam::111122223333:role/admin", policy = "ClusterAdmin" }
      ci    = { principal_arn = "arn:aws:iam::111122223333:role/ci" }
    }
    auto_mode = { node_pools = ["arm"] }
  }
  expect_failures = [var.access, var.auto_mode]
}

run "auto_mode_beside_node_groups" {
  command = plan
  variables {
    auto_mode   = {}
    node_groups = { default = {} }
  }
  expect_failures = [var.node_groups]
}
