mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    }
  }
}

variables {
  name = "shop"
}

run "two_subnets_in_two_zones" {
  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == { "eu-west-1a" = "10.0.0.0/20", "eu-west-1b" = "10.0.16.0/20" }
    error_message = "expected the first two zones, with a sixteenth of the addresses each"
  }
  assert {
    condition     = output.subnet_ids == [aws_subnet.public["eu-west-1a"].id, aws_subnet.public["eu-west-1b"].id]
    error_message = "the ids must come in the order of the zones"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.tags["kubernetes.io/role/elb"] == "1"])
    error_message = "the load balancer controller finds subnets by this tag"
  }
}

run "every_subnet_has_a_way_out" {
  assert {
    condition     = aws_route.internet.gateway_id == aws_internet_gateway.this.id && aws_route.internet.destination_cidr_block == "0.0.0.0/0"
    error_message = "the default route must lead to the internet gateway"
  }
  assert {
    condition     = toset([for a in aws_route_table_association.public : a.subnet_id]) == toset(output.subnet_ids)
    error_message = "each subnet must use the route table with the way out"
  }
}

run "chosen_zones_are_kept_in_their_order" {
  variables {
    cidr  = "10.8.0.0/20"
    zones = ["eu-west-1c", "eu-west-1a"]
  }

  assert {
    condition     = aws_subnet.public["eu-west-1c"].cidr_block == "10.8.0.0/24" && aws_subnet.public["eu-west-1a"].cidr_block == "10.8.1.0/24"
    error_message = "the subnets must follow the zones that were named"
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zones = ["eu-west-1a", "eu-west-1a"]
  }

  expect_failures = [var.zones]
}
