variable "name" {
  description = "Beginning of the repositories' names."
  type        = string
  default     = "shop"
}

variable "release" {
  description = "Tag of this release: a version, a commit."
  type        = string
}

variable "base" {
  description = "Image below the pages, with busybox's httpd."
  type        = string
  default     = "docker.io/library/busybox:1.37"
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repositories together with their images."
  type        = bool
  default     = false
}
