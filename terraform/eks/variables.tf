variable "name" {
  description = "Name of the cluster and prefix of its roles. It cannot be changed later."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,37}$", var.name))
    error_message = "name has 1 to 38 letters, digits, dashes and underscores, and starts with a letter or digit: EKS takes 100, but IAM ends the names of the roles made of it at 64."
  }
}

variable "kubernetes_version" {
  description = "Kubernetes version, such as `1.34`. Default: EKS's own choice when the cluster is created, then unchanged. It goes up one at a time and never down."
  type        = string
  default     = null

  validation {
    condition     = var.kubernetes_version == null ? true : contains(["1.33", "1.34", "1.35", "1.36"], var.kubernetes_version)
    error_message = "kubernetes_version is 1.33, 1.34, 1.35 or 1.36: older ones are no longer in EKS's standard support, newer ones this module has not been tried with."
  }
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones, for the control plane's interfaces and the nodes."
  type        = list(string)

  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "EKS needs at least two subnets, in different zones."
  }
}

variable "access" {
  description = <<-EOT
    Who may do what in the cluster: one access entry each, by any name. At least one is `ClusterAdmin` of the whole cluster: who creates it is not.
    - `principal_arn`: ARN of an IAM user or role (the role itself, not a session of it).
    - `policy`: `View`, `Edit`, `Admin` or `ClusterAdmin`, EKS's managed access policies.
    - `namespaces`: where the policy holds; empty means the whole cluster.
    - `kubernetes_groups`: groups for RBAC of your own, in addition.
  EOT
  type = map(object({
    principal_arn     = string
    policy            = optional(string)
    namespaces        = optional(set(string), [])
    kubernetes_groups = optional(set(string), [])
  }))

  validation {
    condition     = alltrue([for a in values(var.access) : a.policy == null ? length(a.kubernetes_groups) > 0 : contains(["View", "Edit", "Admin", "ClusterAdmin"], a.policy)])
    error_message = "policy is View, Edit, Admin or ClusterAdmin; an entry without one has kubernetes_groups."
  }

  validation {
    condition     = anytrue([for a in values(var.access) : a.policy == "ClusterAdmin" && length(a.namespaces) == 0])
    error_message = "Nobody could administer the cluster: give one entry the policy ClusterAdmin and no namespaces."
  }

  validation {
    condition     = alltrue([for a in values(var.access) : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", a.principal_arn))])
    error_message = "principal_arn is the ARN of an IAM role or user (arn:aws:iam::<account>:role/<name>); for arn:aws:sts::…:assumed-role/<name>/<session> write the role."
  }

  validation {
    condition     = alltrue(flatten([for a in values(var.access) : [for group in a.kubernetes_groups : !can(regex("^(system:|eks:|aws:|amazon:|iam:)", group))]]))
    error_message = "EKS keeps groups that begin with system:, eks:, aws:, amazon: or iam: for itself."
  }

  validation {
    condition     = alltrue(flatten([for a in values(var.access) : [for namespace in a.namespaces : can(regex("^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$", namespace))]]))
    error_message = "A namespace has up to 63 lower-case letters, digits and dashes; * stands for anything."
  }
}

variable "public_access_cidrs" {
  description = "Addresses that reach the API server from the internet. Default: none; then only the VPC reaches it."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.public_access_cidrs : can(cidrnetmask(range))])
    error_message = "public_access_cidrs are IPv4 ranges such as 203.0.113.7/32."
  }

  validation {
    condition     = var.public_access_from_anywhere || alltrue([for range in var.public_access_cidrs : try(tonumber(split("/", range)[1]) >= 8, true)])
    error_message = "A range this wide is the whole internet: name your own addresses, or say public_access_from_anywhere = true."
  }
}

variable "public_access_from_anywhere" {
  description = "The explicit word for `0.0.0.0/0` in `public_access_cidrs`. What then stands before the API server is IAM alone."
  type        = bool
  default     = false
}

variable "secrets_kms_key_arn" {
  description = "KMS key for a second encryption of Kubernetes secrets, by a key of your own. **It can be added later and never removed.** Default: EKS's own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.secrets_kms_key_arn))
    error_message = "secrets_kms_key_arn is the ARN of a key (arn:aws:kms:<region>:<account>:key/<id>), not an alias."
  }
}

variable "node_groups" {
  description = <<-EOT
    Managed node groups by name. Default: one named `default`; none with `auto_mode`.
    - `os`: `al2023` or `bottlerocket`.
    - `architecture`: `x86_64` or `arm64`; the instance types must be of it.
    - `instance_types`: by default `t3.medium` or `t4g.medium`.
    - `capacity_type`: `ON_DEMAND` or `SPOT`.
    - `min_size`, `max_size`: how many nodes; how many in between is an autoscaler's word, which no apply takes back.
    - `disk_gib`: size of the encrypted gp3 volume for images and logs.
    - `labels`: Kubernetes labels of the nodes.
    - `taints`: by key, `value` and `effect` (`NO_SCHEDULE`, `NO_EXECUTE`, `PREFER_NO_SCHEDULE`).
  EOT
  type = map(object({
    os             = optional(string, "al2023")
    architecture   = optional(string, "x86_64")
    instance_types = optional(list(string))
    capacity_type  = optional(string, "ON_DEMAND")
    min_size       = optional(number, 2)
    max_size       = optional(number, 4)
    disk_gib       = optional(number, 30)
    labels         = optional(map(string), {})
    taints         = optional(map(object({ value = optional(string), effect = string })), {})
  }))
  default = null

  validation {
    condition     = var.node_groups == null ? true : alltrue([for g in values(var.node_groups) : contains(["al2023", "bottlerocket"], g.os) && contains(["x86_64", "arm64"], g.architecture) && contains(["ON_DEMAND", "SPOT"], g.capacity_type)])
    error_message = "os is al2023 or bottlerocket, architecture x86_64 or arm64, capacity_type ON_DEMAND or SPOT."
  }

  validation {
    condition     = var.node_groups == null ? true : alltrue([for g in values(var.node_groups) : g.min_size >= 0 && g.max_size >= 1 && g.min_size <= g.max_size && g.disk_gib >= 20])
    error_message = "min_size is 0 or more and at most max_size, max_size at least 1, disk_gib at least 20."
  }

  validation {
    # Graviton's families carry a g right after their generation: m7g, c7gn, x2gd, im4gn. a1 was before that.
    condition = var.node_groups == null ? true : alltrue(flatten([for g in values(var.node_groups) : [for type in coalesce(g.instance_types, []) :
      can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type)) == (g.architecture == "arm64")
    ]]))
    error_message = "An instance type is of another architecture than its group: t4g, m7g, c8g and their kin are arm64, all others x86_64."
  }

  validation {
    condition     = var.node_groups == null ? true : alltrue([for name in keys(var.node_groups) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", name))])
    error_message = "A node group's name has 1 to 63 letters, digits, dashes and underscores."
  }

  validation {
    condition     = var.node_groups == null ? true : alltrue(flatten([for g in values(var.node_groups) : [for taint in values(g.taints) : contains(["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"], taint.effect)]]))
    error_message = "A taint's effect is NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE."
  }

  validation {
    condition     = var.auto_mode == null || try(length(var.node_groups), 0) == 0
    error_message = "auto_mode brings its own nodes: leave node_groups out."
  }
}

variable "auto_mode" {
  description = "EKS Auto Mode in place of node groups and add-ons: AWS runs nodes, disks and load balancers. `node_pools`: the built-in ones, `general-purpose` and `system`, both amd64; for arm apply the output `arm_node_pool`. Default: off."
  type = object({
    node_pools = optional(set(string), ["general-purpose", "system"])
  })
  default = null

  validation {
    condition     = var.auto_mode == null ? true : length(setsubtract(var.auto_mode.node_pools, ["general-purpose", "system"])) == 0
    error_message = "The built-in node pools are general-purpose and system; others are Kubernetes objects, such as the output arm_node_pool."
  }
}

variable "addon_versions" {
  description = "Versions of the add-ons `vpc-cni`, `kube-proxy`, `eks-pod-identity-agent` and `coredns`. Default: EKS's own choice for the Kubernetes version."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.addon_versions), ["vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns"])) == 0
    error_message = "The module's add-ons are vpc-cni, kube-proxy, eks-pod-identity-agent and coredns."
  }
}

variable "log_types" {
  description = "Control plane logs sent to CloudWatch: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`."
  type        = set(string)
  default     = ["audit", "authenticator"]

  validation {
    condition     = length(setsubtract(var.log_types, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "log_types are api, audit, authenticator, controllerManager and scheduler."
  }
}

variable "log_retention_days" {
  description = "How long they stay there."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653 days."
  }
}

variable "tags" {
  description = "Tags of the cluster, its nodes and its roles."
  type        = map(string)
  default     = {}
}
