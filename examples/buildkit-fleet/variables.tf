variable "repository" {
  description = "Repository of the builders' image."
  type        = string
  default     = "buildkit"
}

variable "base" {
  description = "Image with a rootless buildkitd."
  type        = string
  default     = "docker.io/moby/buildkit:v0.34.2-rootless"
}

variable "platforms" {
  description = "Platforms of the nodes that builders run on."
  type        = set(string)
  default     = ["linux/amd64", "linux/arm64"]
}

variable "namespace" {
  description = "Namespace of the builders, which is part of their names."
  type        = string
  default     = "buildkit"
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repository together with its images."
  type        = bool
  default     = false
}
