variable "name" {
  description = "Beginning of the cluster's name, and the namespace that is deployed to."
  type        = string
  default     = "shop"
}

variable "environment" {
  description = "`staging` or `production`."
  type        = string

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "environment is staging or production."
  }
}

variable "registry" {
  description = "The output `registry` of ../images."
  type        = string
}

variable "release" {
  description = "The release that this environment runs."
  type        = string
}

variable "require_scan" {
  description = "Take only images whose scan by ECR found nothing too bad. Without it, any."
  type        = bool
  default     = true
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repositories together with their images."
  type        = bool
  default     = false
}

variable "kubernetes_version" {
  description = "Kubernetes version: staging goes first."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network; environments do not overlap."
  type        = string
}

variable "office_addresses" {
  description = "Addresses that reach the cluster's API from outside."
  type        = list(string)
}

variable "admin_arn" {
  description = "ARN of the role that administers the cluster."
  type        = string
}

variable "deployer_arn" {
  description = "ARN of the role that deploys into the namespace."
  type        = string
}
