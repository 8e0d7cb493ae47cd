variable "name" {
  description = "Beginning of the roles' names: `<name>-ci-plan`, `<name>-ci-build`, `<name>-ci-deploy`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$", var.name))
    error_message = "name has 1 to 50 letters, digits, dashes and underscores, and starts with a letter or digit: the roles' names end at 64."
  }
}

variable "github" {
  description = <<-EOT
    The repository on GitHub whose workflows run as these roles.
    - `repository`: `owner/name`.
    - `repository_id`: its number (`gh api repos/<owner>/<name> --jq .id`), which nobody gets by taking over the name.
    - `oidc_provider_arn`: the account's provider for GitHub, if it has one. Default: it is created; an account takes one.
  EOT
  type = object({
    repository        = string
    repository_id     = string
    oidc_provider_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.github == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.github.repository)) && can(regex("^[0-9]+$", var.github.repository_id))
    error_message = "github.repository is owner/name without wildcards, and repository_id its number."
  }

  validation {
    condition     = (var.github == null) != (var.gitlab == null)
    error_message = "Say where the pipelines run: github or gitlab, and not both."
  }
}

variable "gitlab" {
  description = <<-EOT
    The project on GitLab whose pipelines run as these roles. Its subjects must carry the project's number: set the project's `ci_id_token_sub_claim_components` to `project_path`, `project_id`, `ref_type`, `ref`.
    - `project`: `group/name`.
    - `project_id`: its number, which nobody gets by taking over the name.
    - `url`: of the GitLab.
    - `audience`: what the jobs' `id_tokens` say as `aud`.
    - `oidc_provider_arn`: the account's provider for this GitLab, if it has one. Default: it is created.
  EOT
  type = object({
    project           = string
    project_id        = string
    url               = optional(string, "https://gitlab.com")
    audience          = optional(string, "sts.amazonaws.com")
    oidc_provider_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.gitlab == null ? true : can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$", var.gitlab.project)) && can(regex("^[0-9]+$", var.gitlab.project_id))
    error_message = "gitlab.project is group/name without wildcards, and project_id its number."
  }

  validation {
    condition     = var.gitlab == null ? true : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]*[a-z0-9])?$", var.gitlab.url))
    error_message = "gitlab.url begins with https:// and ends without a slash: AWS reads the keys of the tokens from there."
  }
}

variable "repository_arns" {
  description = "ARNs of the ECR repositories: `build` pushes to them, `plan` and `deploy` read them."
  type        = set(string)

  validation {
    condition     = length(var.repository_arns) > 0 && alltrue([for arn in var.repository_arns : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9][a-z0-9._/-]*$", arn))])
    error_message = "repository_arns are the ARNs of one or more repositories, each in full: a wildcard would let a pipeline push to its neighbour."
  }
}

variable "state" {
  description = "Policies for the state, `module.state.access[\"<name>\"]` of `state-backend`: `plan` gets `read`, `build` gets `write`. Default: neither touches a state."
  type = object({
    read  = string
    write = string
  })
  default = null

  validation {
    condition     = var.state == null ? true : can(jsondecode(var.state.read).Statement) && can(jsondecode(var.state.write).Statement)
    error_message = "state.read and state.write are IAM policies in JSON."
  }
}

variable "plan_policy_arns" {
  description = "Further policies of `plan`, for what the configuration reads besides images and state. What they allow, every pull request may do: read-only ones."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.plan_policy_arns : can(regex("^arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/.+$", arn))])
    error_message = "plan_policy_arns are ARNs of IAM policies."
  }

  validation {
    condition     = alltrue([for arn in var.plan_policy_arns : !can(regex("(AdministratorAccess|PowerUserAccess|FullAccess)", arn))])
    error_message = "Whoever opens a pull request runs as plan: it gets no policy that writes."
  }
}

variable "build_from" {
  description = "Where `build` may be assumed: by jobs of `environments` (GitHub), or on `refs` such as `refs/heads/main` or `refs/tags/v*`."
  type = object({
    environments = optional(set(string), [])
    refs         = optional(set(string), [])
  })
  default = { refs = ["refs/heads/main"] }

  validation {
    condition     = length(var.build_from.environments) + length(var.build_from.refs) > 0 && alltrue([for ref in var.build_from.refs : can(regex("^refs/(heads|tags)/[A-Za-z0-9._-][A-Za-z0-9._/-]*\\*?$", ref))]) && alltrue([for environment in var.build_from.environments : can(regex("^[A-Za-z0-9][A-Za-z0-9 ._-]*$", environment))])
    error_message = "build_from names an environment, or a ref in full (refs/heads/main, refs/tags/v*): a bare * would let every branch push."
  }

  validation {
    condition     = var.gitlab == null || length(var.build_from.environments) == 0
    error_message = "GitLab's subject names no environment: say refs, and protect them."
  }
}

variable "deploy" {
  description = <<-EOT
    What `deploy` deploys to. Default: there is no such role.
    - `cluster_arn`: ARN of the EKS cluster, in authentication mode `API`.
    - `namespaces`: the only ones it may work in. They are made beforehand, see the output `deploy_rbac`.
    - `policy`: `Edit`, or `Admin` for charts with roles and role bindings.
    - `custom_resources`: API groups and their resources that EKS's policies do not know, such as `monitoring.coreos.com` and `servicemonitors`.
    - `from`: as `build_from`; by default jobs of the environment `production` on GitHub, the branch `main` on GitLab.
  EOT
  type = object({
    cluster_arn      = string
    namespaces       = set(string)
    policy           = optional(string, "Edit")
    custom_resources = optional(map(set(string)), {})
    from = optional(object({
      environments = optional(set(string), [])
      refs         = optional(set(string), [])
    }))
  })
  default = null

  validation {
    condition     = var.deploy == null ? true : can(regex("^arn:aws[a-z-]*:eks:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9][A-Za-z0-9_-]*$", var.deploy.cluster_arn))
    error_message = "deploy.cluster_arn is the ARN of one EKS cluster."
  }

  validation {
    condition     = var.deploy == null ? true : length(var.deploy.namespaces) > 0 && alltrue([for namespace in var.deploy.namespaces : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", namespace)) && !startswith(namespace, "kube-")])
    error_message = "deploy.namespaces names one or more namespaces, each in full, and none of Kubernetes' own: without one the role would rule the whole cluster."
  }

  validation {
    condition     = var.deploy == null ? true : contains(["Edit", "Admin"], var.deploy.policy)
    error_message = "deploy.policy is Edit or Admin."
  }

  validation {
    condition     = var.deploy == null ? true : alltrue(flatten([for group, resources in var.deploy.custom_resources : concat([can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", group)), length(resources) > 0], [for resource in resources : can(regex("^[a-z0-9]+(/[a-z]+)?$", resource))])]))
    error_message = "deploy.custom_resources names API groups with a dot in them, and of each the resources in the plural; * and Kubernetes' own groups are the business of policy."
  }

  validation {
    condition     = try(var.deploy.from, null) == null ? true : length(var.deploy.from.environments) + length(var.deploy.from.refs) > 0 && alltrue([for ref in var.deploy.from.refs : can(regex("^refs/(heads|tags)/[A-Za-z0-9._-][A-Za-z0-9._/-]*\\*?$", ref))]) && alltrue([for environment in var.deploy.from.environments : can(regex("^[A-Za-z0-9][A-Za-z0-9 ._-]*$", environment))])
    error_message = "deploy.from names an environment, or a ref in full (refs/heads/main, refs/tags/v*): a bare * would let every branch deploy."
  }

  validation {
    condition     = var.gitlab == null || length(try(var.deploy.from.environments, [])) == 0
    error_message = "GitLab's subject names no environment: say refs, and protect them."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the roles. Default: none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the roles and the provider."
  type        = map(string)
  default     = {}
}
