mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name            = "shop"
  repository_arns = ["arn:aws:ecr:eu-west-1:111122223333:repository/shop/api"]
  github          = { repository = "acme/shop", repository_id = "123456" }
}

run "words_that_aws_refuses" {
  command = plan
  variables {
    name             = "shop/ci"
    github           = { repository = "acme/*", repository_id = "123456" }
    repository_arns  = ["arn:aws:ecr:eu-west-1:111122223333:repository/*"]
    state            = { read = "read", write = "write" }
    plan_policy_arns = ["ReadOnlyAccess"]
    build_from       = { refs = ["*"] }
    deploy           = { cluster_arn = "shop", namespaces = ["shop"] }
  }
  expect_failures = [var.name, var.github, var.repository_arns, var.state, var.plan_policy_arns, var.build_from, var.deploy]
}

run "missing_words" {
  command = plan
  variables {
    github          = { repository = "acme/shop", repository_id = "" }
    repository_arns = []
    build_from      = {}
    deploy          = { cluster_arn = "arn:aws:eks:eu-west-1:111122223333:cluster/shop", namespaces = [] }
  }
  expect_failures = [var.github, var.repository_arns, var.build_from, var.deploy]
}

run "nowhere_to_run" {
  command = plan
  variables {
    github = null
  }
  expect_failures = [var.github]
}

run "both_places_and_a_plan_that_writes" {
  command = plan
  variables {
    gitlab           = { project = "acme/shop", project_id = "42" }
    plan_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    deploy           = { cluster_arn = "arn:aws:eks:eu-west-1:111122223333:cluster/shop", namespaces = ["kube-system"] }
  }
  expect_failures = [var.github, var.plan_policy_arns, var.deploy]
}

run "a_gitlab_without_tls" {
  command = plan
  variables {
    github = null
    gitlab = { project = "acme/shop", project_id = "42", url = "http://gitlab.acme.test" }
  }
  expect_failures = [var.gitlab]
}

run "a_project_without_its_group" {
  command = plan
  variables {
    github = null
    gitlab = { project = "shop", project_id = "42" }
  }
  expect_failures = [var.gitlab]
}

run "every_kind_of_resource_in_the_namespace" {
  command = plan
  variables {
    deploy = { cluster_arn = "arn:aws:eks:eu-west-1:111122223333:cluster/shop", namespaces = ["shop"], custom_resources = { "*" = ["*"] } }
  }
  expect_failures = [var.deploy]
}

run "an_environment_of_gitlab_and_every_branch" {
  command = plan
  variables {
    github     = null
    gitlab     = { project = "acme/shop", project_id = "42" }
    build_from = { environments = ["production"] }
    deploy     = { cluster_arn = "arn:aws:eks:eu-west-1:111122223333:cluster/shop", namespaces = ["shop"], from = { refs = ["refs/heads/*"] } }
  }
  expect_failures = [var.build_from, var.deploy]
}

run "a_policy_that_rules_the_cluster" {
  command = plan
  variables {
    deploy = { cluster_arn = "arn:aws:eks:eu-west-1:111122223333:cluster/shop", namespaces = ["shop"], policy = "ClusterAdmin" }
  }
  expect_failures = [var.deploy]
}
