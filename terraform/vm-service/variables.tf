variable "name" {
  description = "Name of the service, its unit and its container, and prefix of everything in AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name is 2 to 24 lowercase letters, digits and single dashes, beginning with a letter: AWS allows a load balancer no more."
  }
}

variable "image" {
  description = "The image to run, such as an `ecr_image`: its `uri` by digest, and the `platforms` it is for."
  type = object({
    uri       = string
    platforms = optional(set(string), ["linux/amd64"])
  })

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$", var.image.uri))
    error_message = "image.uri is an image in ECR by digest: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api@sha256:… (a tag can move between two instances)."
  }
}

variable "port" {
  description = "TCP port the service listens on."
  type        = number
  default     = 8080

  validation {
    condition     = var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "port is a whole number from 1 to 65535."
  }
}

variable "environment" {
  description = "Environment variables of the service. They are in the user data, which whoever may describe the instance can read: no place for secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, value in var.environment : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && !can(regex("[\r\n]", value))])
    error_message = "environment holds names of letters, digits and underscores, and values of one line."
  }
}

variable "health_check" {
  description = "How the service says that it is well: it answers a GET of `path` with a status in `codes` (`200` or `200-299`) within `timeout` seconds; asked every `interval` seconds."
  type = object({
    path     = optional(string, "/healthz")
    codes    = optional(string, "200-299")
    interval = optional(number, 10)
    timeout  = optional(number, 5)
  })
  default = {}

  validation {
    condition     = can(regex("^/[A-Za-z0-9._~/?=&-]*$", var.health_check.path))
    error_message = "health_check.path is a URL path such as /healthz."
  }

  validation {
    condition     = var.health_check.interval >= 5 && var.health_check.interval <= 300 && var.health_check.timeout >= 2 && var.health_check.timeout < var.health_check.interval
    error_message = "health_check.interval is 5 to 300 seconds, and timeout 2 seconds or more and less than it."
  }
}

variable "vpc_id" {
  description = "VPC of the service."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the instances, with a way to ECR, S3, CloudWatch Logs and Systems Manager: NAT or endpoints. Private ones will do."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids names at least one subnet."
  }
}

variable "load_balancer" {
  description = <<-EOT
    The HTTPS load balancer before the group. `null` makes a single instance without one.
    - `subnet_ids`: its subnets, in at least two zones.
    - `certificate_arn`: of its certificate in ACM.
    - `allowed_cidrs`: who reaches it; `["0.0.0.0/0"]` if it is everyone.
    - `internal`: no public address.
    - `deregistration_delay`: seconds that requests in flight get when an instance goes.
  EOT
  type = object({
    subnet_ids           = list(string)
    certificate_arn      = string
    allowed_cidrs        = list(string)
    internal             = optional(bool, false)
    deregistration_delay = optional(number, 30)
  })

  validation {
    condition     = var.load_balancer == null ? true : length(distinct(var.load_balancer.subnet_ids)) >= 2
    error_message = "A load balancer needs two subnets, in different zones."
  }

  validation {
    condition     = var.load_balancer == null ? true : length(var.load_balancer.allowed_cidrs) > 0 && alltrue([for cidr in var.load_balancer.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "load_balancer.allowed_cidrs names who reaches the service, such as [\"10.0.0.0/8\"]."
  }

  validation {
    condition     = var.load_balancer == null ? true : can(regex("^arn:aws[a-z-]*:(acm|iam):", var.load_balancer.certificate_arn))
    error_message = "load_balancer.certificate_arn is the ARN of a certificate."
  }

  validation {
    condition     = var.load_balancer == null ? true : var.load_balancer.deregistration_delay >= 0 && var.load_balancer.deregistration_delay <= 3600
    error_message = "load_balancer.deregistration_delay is 0 to 3600 seconds."
  }
}

variable "allowed_cidrs" {
  description = "Who reaches a single instance. With a load balancer only that does, and this stays empty."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "allowed_cidrs are address ranges such as 10.0.0.0/8."
  }

  validation {
    condition     = length(var.allowed_cidrs) == 0 || var.load_balancer == null
    error_message = "allowed_cidrs opens a single instance; who reaches the load balancer is said in load_balancer.allowed_cidrs."
  }
}

variable "instance_type" {
  description = "EC2 instance type. Its architecture is the service's."
  type        = string
  default     = "t3.small"
}

variable "instance_count" {
  description = "How many instances serve behind the load balancer. A fixed number: each new group starts with all of it."
  type        = number
  default     = 2

  validation {
    condition     = var.instance_count >= 1 && floor(var.instance_count) == var.instance_count
    error_message = "instance_count is a whole number, 1 or more."
  }
}

variable "ami_release" {
  description = "Release of the ECS-optimized Amazon Linux 2023 image, as in its changelog (github.com/aws/amazon-ecs-ami). Another one makes new instances."
  type        = string
  default     = "20260820"

  validation {
    condition     = can(regex("^20[0-9]{6}$", var.ami_release))
    error_message = "ami_release is a date such as 20260820."
  }
}

variable "ami_id" {
  description = "An image of your own instead: with systemd, cloud-init, curl, Docker, and what `packages` leaves out."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null ? true : can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id looks like ami-0123456789abcdef0."
  }
}

variable "packages" {
  description = "What cloud-init installs first. Amazon Linux, Debian and Ubuntu know this one by the same name; leave it empty for an AMI that has it."
  type        = list(string)
  default     = ["amazon-ecr-credential-helper"]
}

variable "policy_arns" {
  description = "IAM policies for what the service itself does in AWS, by any name. With one, containers may ask for the instance's credentials."
  type        = map(string)
  default     = {}
}

variable "rollout" {
  description = "How a new version comes: `new_group`, which apply waits for, or `instance_refresh`, which goes on after apply has ended."
  type        = string
  default     = "new_group"

  validation {
    condition     = contains(["new_group", "instance_refresh"], var.rollout)
    error_message = "rollout is new_group or instance_refresh."
  }
}

variable "grace_period" {
  description = "Seconds a new instance gets to boot, pull and answer before it is judged."
  type        = number
  default     = 180

  validation {
    condition     = var.grace_period >= 0
    error_message = "grace_period is a number of seconds."
  }
}

variable "wait_timeout" {
  description = "How long apply waits for a new group to answer, such as `10m`. Then it fails, and the old group goes on."
  type        = string
  default     = "10m"

  validation {
    condition     = can(regex("^[1-9][0-9]*[sm]$", var.wait_timeout))
    error_message = "wait_timeout is a number of seconds or minutes, such as 90s or 10m."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps the service's log."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's periods, such as 7, 30, 90 or 365."
  }
}

variable "kms_key_arn" {
  description = "KMS key for the log group and the disks; its policy has to admit CloudWatch Logs and Auto Scaling's service-linked role. Default: AWS's own keys."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
