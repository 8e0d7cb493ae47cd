variable "name" {
  description = "Name of the service, its namespace and its state, and beginning of the roles' names."
  type        = string
  default     = "shop"
}

variable "bucket" {
  description = "Name of the bucket for the states, unique in all of AWS."
  type        = string
}

variable "github" {
  description = "The repository on GitHub: `repository` as owner/name, and its number as `repository_id`."
  type        = object({ repository = string, repository_id = string })
  default     = null
}

variable "gitlab" {
  description = "The project on GitLab instead: `project` as group/name, and its number as `project_id`."
  type        = object({ project = string, project_id = string })
  default     = null
}

variable "cluster_arn" {
  description = "ARN of the cluster to deploy to. Default: there is no role that deploys."
  type        = string
  default     = null
}

variable "custom_resources" {
  description = "API groups and resources that the chart brings besides Kubernetes' own."
  type        = map(set(string))
  default     = {}
}

variable "force_delete" {
  description = "Let `terraform destroy` delete the repository together with its images."
  type        = bool
  default     = false
}
