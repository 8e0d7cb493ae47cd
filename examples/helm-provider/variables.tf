variable "cluster" {
  description = "The output `cluster` of our module `eks`."
  type = object({
    name     = string
    region   = string
    endpoint = string
    ca       = string
  })
}

variable "image" {
  description = "The output `image` by digest: an `ecr_image`'s `uri`."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is a reference by digest: a tag would not make Helm roll out a new image."
  }
}

variable "namespace" {
  description = "Namespace of the release."
  type        = string
  default     = "web"
}

variable "eks_deploy" {
  description = "The program `eks-deploy`."
  type        = string
  default     = "eks-deploy"
}
