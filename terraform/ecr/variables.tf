variable "repositories" {
  description = <<-EOT
    Repositories by name.
    - `image_tag_mutability`: `MUTABLE`, so that a tag like `latest` can move, or `IMMUTABLE`. Who deploys by digest is safe with both.
    - `scan_on_push`: ECR's basic scan of each pushed image.
    - `kms_key_arn`: KMS key that encrypts the images; AES256 without one. Changing it replaces the repository.
    - `expire_untagged_days`: age in days at which untagged images are deleted; 0 keeps them.
    - `expire_source_days`: age in days at which images with a tag `src-…` are deleted **with all their tags**; 0 keeps them.
    - `keep_tag_prefixes`: images with a tag that starts so are never deleted by these rules.
    - `pull_principals`: ARNs of accounts' roots, roles or users elsewhere that may pull.
    - `force_delete`: let `terraform destroy` delete the repository together with its images.
  EOT
  type = map(object({
    image_tag_mutability = optional(string, "MUTABLE")
    scan_on_push         = optional(bool, true)
    kms_key_arn          = optional(string)
    expire_untagged_days = optional(number, 30)
    expire_source_days   = optional(number, 180)
    keep_tag_prefixes    = optional(list(string), ["deployed-", "latest"])
    pull_principals      = optional(set(string), [])
    force_delete         = optional(bool, false)
  }))

  validation {
    condition     = alltrue([for name in keys(var.repositories) : length(name) >= 2 && length(name) <= 256 && can(regex("^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$", name))])
    error_message = "A repository's name has 2 to 256 lower-case letters and digits, with single dots, dashes, underscores or slashes between them."
  }

  validation {
    condition     = alltrue([for r in values(var.repositories) : contains(["MUTABLE", "IMMUTABLE"], r.image_tag_mutability)])
    error_message = "image_tag_mutability is MUTABLE or IMMUTABLE."
  }

  validation {
    condition     = alltrue([for r in values(var.repositories) : r.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", r.kms_key_arn))])
    error_message = "kms_key_arn is the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>."
  }

  validation {
    condition     = alltrue([for r in values(var.repositories) : r.expire_untagged_days >= 0 && r.expire_source_days >= 0])
    error_message = "expire_untagged_days and expire_source_days are numbers of days, or 0 for images that stay."
  }

  validation {
    condition     = alltrue(flatten([for r in values(var.repositories) : [for prefix in r.keep_tag_prefixes : can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]*$", prefix)) && !startswith("src-", prefix)]]))
    error_message = "keep_tag_prefixes are beginnings of tags without wildcards; one that src-… starts with too would keep everything."
  }

  validation {
    condition     = alltrue(flatten([for r in values(var.repositories) : [for arn in r.pull_principals : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/.+|user/.+)$", arn))]]))
    error_message = "pull_principals are ARNs of an account's root, a role or a user (arn:aws:iam::<account>:root); `*` would make the images public."
  }
}

variable "tags" {
  description = "Tags of the repositories."
  type        = map(string)
  default     = {}
}
