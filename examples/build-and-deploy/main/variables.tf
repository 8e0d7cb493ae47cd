variable "name" {
  description = "Name of the cluster and prefix of the repositories."
  type        = string
  default     = "hello"
}

variable "release" {
  description = "Tag of this release, next to `latest`: a version or a commit."
  type        = string
  default     = "v1"
}

variable "kubernetes_version" {
  description = "Kubernetes version of the cluster."
  type        = string
  default     = "1.34"
}

variable "admins" {
  description = "ARNs of the IAM users and roles that administer the cluster. Default: who applies. In CI, name them."
  type        = list(string)
  default     = []
}

variable "build_image" {
  description = "Base image of the api's build stage."
  type        = string
  default     = "docker.io/library/golang:1.26"
}

variable "site_base" {
  description = "Base image of the site, with a busybox httpd in it."
  type        = string
  default     = "docker.io/library/busybox:1.37"
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repositories together with their images."
  type        = bool
  default     = false
}
