mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_resource "aws_route_table" {
    defaults = { id = "rtb-1" }
  }
}

variables {
  name = "shop"
}

run "by_default" {
  # By default nodes are private with one way out.
  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == { "eu-west-1a" = "10.0.0.0/18", "eu-west-1b" = "10.0.64.0/18" }
    error_message = "expected the first two zones, with a quarter of the addresses each"
  }
  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == { "eu-west-1a" = "10.0.192.0/22", "eu-west-1b" = "10.0.196.0/22" }
    error_message = "expected public subnets in the last quarter"
  }
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.private), values(aws_subnet.public)) : !coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "nothing gets a public address by being started"
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-west-1a"] && keys(aws_route.nat) == ["eu-west-1a", "eu-west-1b"]
    error_message = "one NAT gateway serves every zone"
  }
  assert {
    condition     = alltrue([for route in aws_route.nat : route.gateway_id == null])
    error_message = "a private subnet must not lead to the internet gateway"
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "with NAT only the free endpoint is expected"
  }

  # Subnets are found by the load balancer controller.
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.tags["kubernetes.io/role/elb"] == "1" && !contains(keys(subnet.tags), "kubernetes.io/role/internal-elb")])
    error_message = "public subnets carry kubernetes.io/role/elb"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.tags["kubernetes.io/role/internal-elb"] == "1" && !contains(keys(subnet.tags), "kubernetes.io/role/elb")])
    error_message = "private subnets carry kubernetes.io/role/internal-elb"
  }

  # Layers come through the gateway and other accounts buckets do not.
  assert {
    condition = [for statement in jsondecode(aws_vpc_endpoint.s3.policy).Statement : [statement.Action, statement.Resource, try(statement.Condition, null)]] == [
      [["s3:GetObject"], ["arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*", "arn:aws:s3:::al2023-repos-eu-west-1-de612dc2/*"], null],
      [["s3:*"], ["arn:aws:s3:::*"], { StringEquals = { "aws:ResourceAccount" = "111122223333" } }],
    ]
    error_message = "unexpected policy: ${aws_vpc_endpoint.s3.policy}"
  }
}

run "nothing_is_open" {
  variables {
    nat = "none"
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) + length(aws_default_security_group.this.egress) == 0
    error_message = "the default security group must have no rules"
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.endpoints : [rule.cidr_ipv4, rule.from_port, rule.to_port]] == [["10.0.0.0/16", 443, 443]]
    error_message = "endpoints answer the VPC, on HTTPS, and nobody else"
  }
}

run "without_nat_endpoints_stand_in" {
  variables {
    nat = "none"
  }

  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_eip.nat) + length(aws_route.nat) == 0
    error_message = "no way out was asked for"
  }
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticloadbalancing", "logs", "sts"]
    error_message = "nodes, eks-deploy and the load balancer controller need these endpoints"
  }
  assert {
    condition     = alltrue([for service, endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && endpoint.service_name == "com.amazonaws.eu-west-1.${service}" && endpoint.subnet_ids == toset(output.private_subnet_ids)])
    error_message = "an endpoint is found under the service's own name, in every zone"
  }
}

run "three_zones_with_a_way_out_each" {
  variables {
    cidr      = "10.8.0.0/20"
    zones     = ["eu-west-1c", "eu-west-1a", "eu-west-1b"]
    nat       = "per_zone"
    endpoints = ["ssm"]
  }

  assert {
    condition     = [for zone in output.zones : aws_subnet.private[zone].cidr_block] == ["10.8.0.0/22", "10.8.4.0/22", "10.8.8.0/22"]
    error_message = "the subnets must follow the zones that were named"
  }
  assert {
    condition     = alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id]) && length(aws_nat_gateway.this) == 3
    error_message = "each zone must leave by its own gateway"
  }
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ssm"]
    error_message = "only what was named is expected"
  }
}
