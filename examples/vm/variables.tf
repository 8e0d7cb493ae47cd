variable "name" {
  description = "Name of the service and its repository, and prefix of all else."
  type        = string
  default     = "hello-vm"
}

variable "certificate_arn" {
  description = "Certificate of the service's name, in ACM."
  type        = string
}

variable "allowed_cidrs" {
  description = "Who reaches the service; `[\"0.0.0.0/0\"]` if it is everyone."
  type        = list(string)
}

variable "image" {
  description = "An image by digest to run instead of the one built here: to go back to one that was good."
  type        = string
  default     = null
}

variable "base" {
  description = "Image below the pages, with busybox's httpd."
  type        = string
  default     = "docker.io/library/busybox:1.37"
}

variable "instance_count" {
  description = "Instances behind the load balancer."
  type        = number
  default     = 2
}

variable "ami_id" {
  description = "An AMI of your own. Default: the ECS-optimized Amazon Linux 2023 that the module pins."
  type        = string
  default     = null
}

variable "wait_timeout" {
  description = "How long apply waits for a new version to answer."
  type        = string
  default     = "10m"
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repository together with its images."
  type        = bool
  default     = false
}
