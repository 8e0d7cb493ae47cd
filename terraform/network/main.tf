data "aws_availability_zones" "available" {
  state = "available"

  # No local or wavelength zones: EKS does not run its control plane there.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = coalesce(var.zones, slice(data.aws_availability_zones.available.names, 0, 2))

  # Three quarters for what runs, the last for what looks outside.
  private = var.subnets != null ? var.subnets.private : [for index, zone in local.zones : cidrsubnet(var.cidr, 2, index)]
  public  = var.subnets != null ? var.subnets.public : [for index, zone in local.zones : cidrsubnet(var.cidr, 6, 48 + index)]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = length(local.private) == length(local.zones) && length(local.public) == length(local.zones)
      error_message = "subnets name ${length(local.private)} private and ${length(local.public)} public ranges for ${length(local.zones)} zones: name one of each for every zone."
    }
    precondition {
      condition     = length(local.outside) == 0
      error_message = "Not within the VPC's ${var.cidr}: ${join(", ", local.outside)}."
    }
    precondition {
      condition     = length(local.overlaps) == 0
      error_message = "Subnets overlap: ${join("; ", local.overlaps)}."
    }
  }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = var.name })
}

# For load balancers and NAT gateways. The tag is how the load balancer controller finds them.
resource "aws_subnet" "public" {
  for_each = { for index, zone in local.zones : zone => try(local.public[index], null) }

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = merge(var.tags, { Name = "${var.name}-public-${each.key}", "kubernetes.io/role/elb" = "1" })
}

# For nodes, pods and internal load balancers: no address here is reached from outside.
resource "aws_subnet" "private" {
  for_each = { for index, zone in local.zones : zone => try(local.private[index], null) }

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = merge(var.tags, { Name = "${var.name}-private-${each.key}", "kubernetes.io/role/internal-elb" = "1" })
}

# Without rules: what forgets to name its security group is closed, not open to its neighbours.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-default-closed" })
}
