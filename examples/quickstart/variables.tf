variable "name" {
  description = "Name of the service, its repository and its cluster."
  type        = string
  default     = "quickstart"
}

variable "my_addresses" {
  description = "Addresses that reach the cluster's API, such as your own: `[\"203.0.113.7/32\"]`."
  type        = list(string)
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
