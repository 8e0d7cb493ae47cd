mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/mocked" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
}

variables {
  name            = "shop"
  repository_arns = ["arn:aws:ecr:eu-west-1:111122223333:repository/shop/api", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/site"]
  github          = { repository = "acme/shop", repository_id = "123456" }
  state           = { read = "{\"Version\":\"2012-10-17\",\"Statement\":[\"read\"]}", write = "{\"Version\":\"2012-10-17\",\"Statement\":[\"write\"]}" }
  deploy = {
    cluster_arn      = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
    namespaces       = ["shop", "shop-jobs"]
    custom_resources = { "monitoring.coreos.com" = ["servicemonitors"] }
  }
}

run "by_default" {
  # Github is trusted by number and place.
  assert {
    condition = { for name, role in aws_iam_role.this : name => jsondecode(role.assume_role_policy).Statement[0].Condition.StringLike } == {
      plan   = { "token.actions.githubusercontent.com:sub" = ["repo:acme/shop:pull_request"] }
      build  = { "token.actions.githubusercontent.com:sub" = ["repo:acme/shop:ref:refs/heads/main"] }
      deploy = { "token.actions.githubusercontent.com:sub" = ["repo:acme/shop:environment:production"] }
    }
    error_message = "each role has its place"
  }
  assert {
    condition = alltrue([for role in aws_iam_role.this : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud"           = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:repository_id" = "123456"
    }])
    error_message = "a name can be taken over, a number cannot"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : jsondecode(role.assume_role_policy).Statement[0].Principal == { Federated = "arn:aws:iam::111122223333:oidc-provider/mocked" } && role.max_session_duration == 3600])
    error_message = "only the provider's tokens open the roles, for an hour"
  }

  # Each role does its work and no other.
  assert {
    condition     = toset(flatten([for name, policy in aws_iam_role_policy.this : [for s in jsondecode(policy.policy).Statement : s.Action if contains(s.Resource, "*")]])) == toset(["ecr:GetAuthorizationToken"])
    error_message = "one action only may be on everything"
  }
  assert {
    condition     = alltrue(flatten([for policy in aws_iam_role_policy.this : [for s in jsondecode(policy.policy).Statement : [for action in s.Action : !strcontains(action, "*")]]]))
    error_message = "an action with a wildcard grows with AWS"
  }
  assert {
    condition     = alltrue(flatten([for s in jsondecode(aws_iam_role_policy.this["plan"].policy).Statement : [for action in s.Action : can(regex(":(BatchGet|Describe|Get|List)", action))]]))
    error_message = "plan reads"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this["build"].policy).Statement : s.Resource if contains(s.Action, "ecr:PutImage")] == [["arn:aws:ecr:eu-west-1:111122223333:repository/shop/api", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/site"]]
    error_message = "build pushes to its repositories"
  }
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.this["deploy"].policy).Statement : [s.Action, s.Resource]] == [
      [["eks:DescribeCluster"], ["arn:aws:eks:eu-west-1:111122223333:cluster/shop"]],
      [["ecr:BatchGetImage"], ["arn:aws:ecr:eu-west-1:111122223333:repository/shop/api", "arn:aws:ecr:eu-west-1:111122223333:repository/shop/site"]],
    ]
    error_message = "deploy finds its cluster and the digests of its images"
  }
  assert {
    condition     = { for name, policy in aws_iam_role_policy.state : name => policy.policy } == { plan = var.state.read, build = var.state.write }
    error_message = "plan reads the state, build writes it, deploy does neither"
  }

  # Deploy works in its namespaces.
  assert {
    condition = [for a in aws_eks_access_policy_association.deploy : [a.cluster_name, a.policy_arn, a.access_scope[0].type, join(",", a.access_scope[0].namespaces)]] == [
      ["shop", "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy", "namespace", "shop,shop-jobs"],
    ]
    error_message = "unexpected access"
  }
  assert {
    condition     = [for doc in split("---\n", output.deploy_rbac) : [yamldecode(doc).kind, try(yamldecode(doc).metadata.namespace, yamldecode(doc).metadata.name)]] == [["Namespace", "shop"], ["Role", "shop"], ["RoleBinding", "shop"], ["Namespace", "shop-jobs"], ["Role", "shop-jobs"], ["RoleBinding", "shop-jobs"]]
    error_message = "unexpected manifest: ${output.deploy_rbac}"
  }
  assert {
    condition     = yamldecode(split("---\n", output.deploy_rbac)[1]).rules == [{ apiGroups = ["monitoring.coreos.com"], resources = ["servicemonitors"], verbs = ["create", "delete", "get", "list", "patch", "update", "watch"] }]
    error_message = "helm watches what it waits for"
  }
  assert {
    condition     = [for entry in aws_eks_access_entry.deploy : join(",", entry.kubernetes_groups)] == [yamldecode(split("---\n", output.deploy_rbac)[2]).subjects[0].name]
    error_message = "the binding must name the entry's group"
  }
}

run "gitlab_by_the_number_in_its_subject" {
  variables {
    github     = null
    gitlab     = { project = "acme/tools/shop", project_id = "42" }
    build_from = { refs = ["refs/heads/main", "refs/tags/v*"] }
  }

  assert {
    condition = { for name, role in aws_iam_role.this : name => jsondecode(role.assume_role_policy).Statement[0].Condition } == {
      plan = {
        StringEquals = { "gitlab.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "gitlab.com:sub" = ["project_path:acme/tools/shop:project_id:42:ref_type:branch:ref:*"] }
      }
      build = {
        StringEquals = { "gitlab.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "gitlab.com:sub" = ["project_path:acme/tools/shop:project_id:42:ref_type:branch:ref:main", "project_path:acme/tools/shop:project_id:42:ref_type:tag:ref:v*"] }
      }
      deploy = {
        StringEquals = { "gitlab.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "gitlab.com:sub" = ["project_path:acme/tools/shop:project_id:42:ref_type:branch:ref:main"] }
      }
    }
    error_message = "unexpected trust: ${jsonencode([for role in aws_iam_role.this : role.assume_role_policy])}"
  }
}

run "a_provider_that_is_there_is_used" {
  variables {
    github = { repository = "acme/shop", repository_id = "123456", oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    deploy = null
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0 && output.oidc_provider_arn == "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    error_message = "an account takes one provider for an issuer"
  }
  assert {
    condition     = keys(output.role_arns) == ["build", "plan"] && output.deploy_rbac == ""
    error_message = "without a cluster nobody deploys"
  }
}
