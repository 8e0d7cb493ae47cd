variable "repositories" {
  description = <<-EOT
    Repositories by name.
    - `image_tag_mutability`: `MUTABLE`, so that a tag like `latest` can move, or `IMMUTABLE`. Who deploys by digest is safe with both.
    - `scan_on_push`: ECR's basic scan of each pushed image.
    - `expire_untagged_days`: age in days at which untagged images are deleted; 0 keeps them.
    - `force_delete`: let `terraform destroy` delete the repository together with its images.
  EOT
  type = map(object({
    image_tag_mutability = optional(string, "MUTABLE")
    scan_on_push         = optional(bool, true)
    expire_untagged_days = optional(number, 30)
    force_delete         = optional(bool, false)
  }))

  validation {
    condition     = alltrue([for r in values(var.repositories) : contains(["MUTABLE", "IMMUTABLE"], r.image_tag_mutability)])
    error_message = "image_tag_mutability is MUTABLE or IMMUTABLE."
  }

  validation {
    condition     = alltrue([for r in values(var.repositories) : r.expire_untagged_days >= 0])
    error_message = "expire_untagged_days is a number of days, or 0 for images that stay."
  }
}

variable "tags" {
  description = "Tags of the repositories."
  type        = map(string)
  default     = {}
}
