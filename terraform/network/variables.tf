variable "name" {
  description = "Name of the VPC and prefix of what is in it."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC. Each subnet gets a sixteenth of them."
  type        = string
  default     = "10.0.0.0/16"
}

variable "zones" {
  description = "The two availability zones. Default: the region's first two."
  type        = list(string)
  default     = null

  validation {
    condition     = var.zones == null ? true : length(distinct(var.zones)) == 2
    error_message = "EKS needs subnets in two different zones: name exactly two."
  }
}

variable "tags" {
  description = "Tags of everything in the network."
  type        = map(string)
  default     = {}
}
