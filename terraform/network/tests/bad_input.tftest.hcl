mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
}

variables {
  name = "shop"
}

run "words_that_aws_refuses" {
  command = plan
  variables {
    name  = "my shop"
    cidr  = "10.0.0.0/8"
    zones = ["eu-west-1a"]
    nat   = "two"
  }
  expect_failures = [var.name, var.cidr, var.zones, var.nat]
}

run "a_range_that_does_not_start_at_its_start" {
  command = plan
  variables {
    cidr      = "10.0.0.1/16"
    zones     = ["eu-west-1a", "eu-west-1a"]
    endpoints = ["s3"]
  }
  expect_failures = [var.cidr, var.zones, var.endpoints]
}

run "a_local_zone_and_no_range_at_all" {
  command = plan
  variables {
    cidr  = "ten"
    zones = ["eu-west-1a", "us-west-2-lax-1a"]
  }
  expect_failures = [var.cidr, var.zones]
}

run "nodes_cut_off" {
  command = plan
  variables {
    nat       = "none"
    endpoints = ["ecr.api", "ecr.dkr"]
  }
  expect_failures = [var.endpoints]
}

run "subnets_that_overlap" {
  command = plan
  variables {
    subnets = { private = ["10.0.0.0/18", "10.0.32.0/19"], public = ["10.0.128.0/24", "10.0.129.0/24"] }
  }
  expect_failures = [aws_vpc.this]
}

run "subnets_that_are_the_same" {
  command = plan
  variables {
    subnets = { private = ["10.0.0.0/18", "10.0.64.0/18"], public = ["10.0.128.0/24", "10.0.128.0/24"] }
  }
  expect_failures = [aws_vpc.this]
}

run "subnets_outside_the_vpc" {
  command = plan
  variables {
    subnets = { private = ["10.0.0.0/18", "10.1.0.0/18"], public = ["10.0.128.0/24", "10.0.129.0/24"] }
  }
  expect_failures = [aws_vpc.this]
}

run "a_zone_without_subnets" {
  command = plan
  variables {
    subnets = { private = ["10.0.0.0/18"], public = ["10.0.128.0/24"] }
  }
  expect_failures = [aws_vpc.this]
}

run "a_subnet_too_small" {
  command = plan
  variables {
    subnets = { private = ["10.0.0.0/18", "10.0.64.0/29"], public = ["10.0.128.0/24", "10.0.129.0/24"] }
  }
  expect_failures = [var.subnets]
}
