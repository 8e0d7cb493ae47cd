variable "name" {
  description = "Name of the cluster and prefix of its roles."
  type        = string
}

variable "kubernetes_version" {
  description = "Kubernetes version, such as `1.34`. Default: EKS's own choice when the cluster is created, then unchanged."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Subnets in at least two zones, for the control plane's interfaces and the nodes."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "EKS needs at least two subnets, in different zones."
  }
}

variable "access" {
  description = <<-EOT
    Who may do what in the cluster: one access entry each, by any name.
    - `principal_arn`: ARN of an IAM user or role (the role itself, not a session of it).
    - `policy`: `View`, `Edit`, `Admin` or `ClusterAdmin`, EKS's managed access policies.
    - `namespaces`: where it holds; empty means the whole cluster.
  EOT
  type = map(object({
    principal_arn = string
    policy        = string
    namespaces    = optional(set(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for a in values(var.access) : contains(["View", "Edit", "Admin", "ClusterAdmin"], a.policy)])
    error_message = "policy is View, Edit, Admin or ClusterAdmin."
  }
}

variable "public_access_cidrs" {
  description = "Addresses that reach the API server from the internet; empty closes it to all but the VPC."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "nodes" {
  description = "The managed node group: its instance types, and how many of them at least and at most."
  type = object({
    instance_types = optional(list(string), ["t3.medium"])
    min_size       = optional(number, 2)
    max_size       = optional(number, 4)
  })
  default = {}
}

variable "log_types" {
  description = "Control plane logs sent to CloudWatch."
  type        = set(string)
  default     = ["audit", "authenticator"]
}

variable "tags" {
  description = "Tags of the cluster, its nodes and its roles."
  type        = map(string)
  default     = {}
}
