variable "scanning" {
  description = <<-EOT
    How the registry scans; it replaces what the registry had. Default: left as it is.
    - `type`: `BASIC` or `ENHANCED` (Amazon Inspector, billed by image).
    - `rules`: for filters of repository names such as `shop/*`, `SCAN_ON_PUSH`, `CONTINUOUS_SCAN` (enhanced only) or `MANUAL` (basic only).
  EOT
  type = object({
    type  = optional(string, "BASIC")
    rules = optional(map(string), { "*" = "SCAN_ON_PUSH" })
  })
  default = null

  validation {
    condition     = var.scanning == null ? true : contains(["BASIC", "ENHANCED"], var.scanning.type)
    error_message = "scanning.type is BASIC or ENHANCED."
  }

  validation {
    condition = var.scanning == null ? true : alltrue([
      for frequency in values(var.scanning.rules) : contains(var.scanning.type == "BASIC" ? ["SCAN_ON_PUSH", "MANUAL"] : ["SCAN_ON_PUSH", "CONTINUOUS_SCAN"], frequency)
    ])
    error_message = "scanning.rules say SCAN_ON_PUSH, with BASIC also MANUAL, with ENHANCED also CONTINUOUS_SCAN."
  }

  validation {
    condition     = var.scanning == null ? true : alltrue([for filter in keys(var.scanning.rules) : can(regex("^[a-z0-9*][a-z0-9*._/-]*$", filter))])
    error_message = "The names in scanning.rules are repository names, in which * stands for anything."
  }
}

variable "replication" {
  description = <<-EOT
    Where pushed images are copied to; it replaces what the registry had.
    - `destinations`: regions and registries (account ids), at most 25.
    - `repository_prefixes`: only repositories that start so; empty means all.
  EOT
  type = list(object({
    destinations        = list(object({ region = string, registry_id = string }))
    repository_prefixes = optional(set(string), [])
  }))
  default = []

  validation {
    condition     = length(var.replication) <= 10
    error_message = "ECR takes at most 10 replication rules."
  }

  validation {
    condition     = alltrue([for rule in var.replication : length(rule.destinations) >= 1 && length(rule.destinations) <= 25])
    error_message = "A replication rule has 1 to 25 destinations."
  }

  validation {
    condition     = alltrue(flatten([for rule in var.replication : [for d in rule.destinations : can(regex("^[0-9]{12}$", d.registry_id)) && can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", d.region))]]))
    error_message = "A destination is a region such as eu-west-1 and a registry_id of twelve digits."
  }
}

variable "pull_through" {
  description = <<-EOT
    Public registries that ECR pulls from and keeps, by the prefix of the repositories.
    - `upstream`: host of the registry, such as `public.ecr.aws` or `registry-1.docker.io`.
    - `credential_arn`: secret in Secrets Manager, named `ecr-pullthroughcache/…`, with the account there. Docker Hub, GitHub and GitLab want one.
  EOT
  type = map(object({
    upstream       = string
    credential_arn = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for prefix in keys(var.pull_through) : length(prefix) >= 2 && length(prefix) <= 30 && can(regex("^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$", prefix))])
    error_message = "A prefix has 2 to 30 lower-case letters and digits, with single dots, dashes, underscores or slashes between them."
  }

  validation {
    condition     = alltrue([for rule in values(var.pull_through) : can(regex("^[a-z0-9][a-z0-9.-]*\\.[a-z]+$", rule.upstream))])
    error_message = "upstream is a host alone: no https://, no path, no port."
  }

  validation {
    condition     = alltrue([for rule in values(var.pull_through) : rule.credential_arn == null ? true : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:ecr-pullthroughcache/.+$", rule.credential_arn))])
    error_message = "ECR reads only secrets whose name begins with ecr-pullthroughcache/: credential_arn is the ARN of one."
  }

  validation {
    condition     = alltrue([for rule in values(var.pull_through) : rule.credential_arn != null if contains(["registry-1.docker.io", "ghcr.io", "registry.gitlab.com"], rule.upstream)])
    error_message = "registry-1.docker.io, ghcr.io and registry.gitlab.com serve ECR only with an account: give its credential_arn."
  }
}

variable "templates" {
  description = <<-EOT
    How repositories look that ECR itself creates, by the prefix of their names; `ROOT` is for all others.
    - `applied_for`: `PULL_THROUGH_CACHE`, `REPLICATION`.
    - `image_tag_mutability`: `MUTABLE` or `IMMUTABLE`. Keep `MUTABLE` for a cache, or a tag that moved upstream is stale for ever.
    - `kms_key_arn`: KMS key that encrypts the images, with `role_arn`; AES256 without one.
    - `role_arn`: role that ECR assumes to create them; needed for KMS and tags.
    - `expire_untagged_days`: age in days at which untagged images are deleted; 0 keeps them.
  EOT
  type = map(object({
    applied_for          = set(string)
    image_tag_mutability = optional(string, "MUTABLE")
    kms_key_arn          = optional(string)
    role_arn             = optional(string)
    expire_untagged_days = optional(number, 30)
  }))
  default = {}

  validation {
    condition     = alltrue([for t in values(var.templates) : length(t.applied_for) > 0 && length(setsubtract(t.applied_for, ["PULL_THROUGH_CACHE", "REPLICATION"])) == 0])
    error_message = "applied_for names PULL_THROUGH_CACHE, REPLICATION or both."
  }

  validation {
    condition     = alltrue([for t in values(var.templates) : contains(["MUTABLE", "IMMUTABLE"], t.image_tag_mutability)])
    error_message = "image_tag_mutability is MUTABLE or IMMUTABLE."
  }

  validation {
    condition     = alltrue([for t in values(var.templates) : t.kms_key_arn == null || t.role_arn != null])
    error_message = "ECR uses a KMS key of yours only through a role: give role_arn with kms_key_arn."
  }

  validation {
    condition     = alltrue([for t in values(var.templates) : t.expire_untagged_days >= 0])
    error_message = "expire_untagged_days is a number of days, or 0 for images that stay."
  }
}
