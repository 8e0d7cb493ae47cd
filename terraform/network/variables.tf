variable "name" {
  description = "Name of the VPC and prefix of what is in it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,39}$", var.name))
    error_message = "name has 1 to 40 letters, digits and dashes, and starts with a letter."
  }
}

variable "cidr" {
  description = "IPv4 addresses of the VPC, /16 to /21. Nodes and pods take theirs from the private subnets: a quarter each; the public ones share a part of the last quarter."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.cidr, 0, 0)) && can(regex("^[0-9.]+/(1[6-9]|2[01])$", var.cidr))
    error_message = "cidr is an IPv4 range from /16 (the largest AWS takes) to /21 (below, the public subnets are too small for load balancers), such as 10.0.0.0/16."
  }

  validation {
    condition     = try(cidrsubnet(var.cidr, 0, 0) == var.cidr, true)
    error_message = "cidr starts in the middle of its range: AWS wants the first address, such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Two or three availability zones. Default: the region's first two."
  type        = list(string)
  default     = null

  validation {
    condition     = var.zones == null ? true : contains([2, 3], length(var.zones)) && length(distinct(var.zones)) == length(var.zones)
    error_message = "EKS needs subnets in two different zones, and three are the most this module plans: name two or three, each once."
  }

  validation {
    condition     = var.zones == null ? true : alltrue([for zone in var.zones : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])
    error_message = "A zone is a region with a letter, such as eu-west-1a. EKS's control plane runs in no local or wavelength zone."
  }
}

variable "subnets" {
  description = "Ranges of your own instead of those cut from `cidr`: `private` and `public`, one for each zone, in their order."
  type = object({
    private = list(string)
    public  = list(string)
  })
  default = null

  validation {
    condition     = var.subnets == null ? true : alltrue([for range in concat(var.subnets.private, var.subnets.public) : can(cidrsubnet(range, 0, 0)) && can(regex("^[0-9.]+/(1[6-9]|2[0-8])$", range))])
    error_message = "subnets are IPv4 ranges from /16 to /28, as AWS takes them."
  }
}

variable "nat" {
  description = "NAT gateways: `one` (cheap, and the zone it is in takes the others' way out along when it fails), `per_zone`, or `none`: then nodes reach what `endpoints` names and nothing else."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["none", "one", "per_zone"], var.nat)
    error_message = "nat is none, one or per_zone."
  }
}

variable "endpoints" {
  description = "AWS services with an interface endpoint in the private subnets, billed by zone and hour. S3 has its gateway always. Default: none with NAT; without NAT all that nodes, eks-deploy and the load balancer controller need."
  type        = set(string)
  default     = null

  validation {
    condition     = var.endpoints == null ? true : alltrue([for service in var.endpoints : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)*$", service)) && service != "s3"])
    error_message = "endpoints are the services' own names, such as ecr.api or ssm; S3 has its gateway endpoint already."
  }

  validation {
    condition     = var.endpoints == null || var.nat != "none" ? true : length(setsubtract(["ec2", "ecr.api", "ecr.dkr", "eks", "sts"], var.endpoints)) == 0
    error_message = "Without NAT nodes cannot join a cluster unless endpoints holds ec2, ecr.api, ecr.dkr, eks and sts."
  }
}

variable "tags" {
  description = "Tags of everything in the network."
  type        = map(string)
  default     = {}
}
