# Who may be which role: a subject says which repository and which ref or environment, and by its number the repository
# is still the same when its name has changed hands.
locals {
  default_deploy_from = local.github ? { environments = toset(["production"]), refs = toset([]) } : { environments = toset([]), refs = toset(["refs/heads/main"]) }
  deploy_from         = try(var.deploy.from, null) == null ? local.default_deploy_from : var.deploy.from

  origin = local.github ? "repo:${var.github.repository}" : "project_path:${var.gitlab.project}:project_id:${var.gitlab.project_id}"

  subjects = {
    # On GitLab a merge request's pipeline carries the branch that is to be merged; one from a fork runs in the fork.
    plan   = [local.github ? "${local.origin}:pull_request" : "${local.origin}:ref_type:branch:ref:*"]
    build  = concat(local.environments.build, local.refs.build)
    deploy = concat(local.environments.deploy, local.refs.deploy)
  }

  environments = { for role, from in { build = var.build_from, deploy = local.deploy_from } : role => [
    for environment in sort(from.environments) : "${local.origin}:environment:${environment}"
  ] }

  refs = { for role, from in { build = var.build_from, deploy = local.deploy_from } : role => [
    for ref in sort(from.refs) : local.github ? "${local.origin}:ref:${ref}" : format("%s:ref_type:%s:ref:%s", local.origin,
    startswith(ref, "refs/tags/") ? "tag" : "branch", trimprefix(trimprefix(ref, "refs/tags/"), "refs/heads/"))
  ] }

  trust = { for role in keys(local.roles) : role => {
    Effect    = "Allow"
    Principal = { Federated = local.provider }
    Action    = "sts:AssumeRoleWithWebIdentity"
    Condition = {
      StringEquals = merge(
        { "${local.claims}:aud" = local.audience },
        local.github ? { "${local.claims}:repository_id" = var.github.repository_id } : {},
      )
      # What has no * in it is compared letter by letter here, too.
      StringLike = { "${local.claims}:sub" = local.subjects[role] }
    }
  } }
}
