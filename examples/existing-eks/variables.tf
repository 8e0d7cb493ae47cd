variable "cluster_name" {
  description = "Name of the cluster, such as `module.eks.cluster_name` of terraform-aws-modules/eks."
  type        = string
}

variable "deployer_arn" {
  description = "ARN of the role that deploys."
  type        = string
}

variable "namespace" {
  description = "Namespace that it deploys to. It has to exist: `Edit` may not create it."
  type        = string
  default     = "shop"
}

variable "repository" {
  description = "Name of the repository."
  type        = string
  default     = "shop/web"
}

variable "base" {
  description = "Image below the pages, with busybox's httpd."
  type        = string
  default     = "docker.io/library/busybox:1.37"
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repository together with its images."
  type        = bool
  default     = false
}
