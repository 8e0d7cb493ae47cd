# One machine without a load balancer.
terraform {
  required_providers {
    aws = { source = "registry.terraform.io/hashicorp/aws" }
  }
}

variable "name" { type = string }
variable "image" { type = string }
variable "ami_id" { type = string }
variable "greeting" { type = string }

resource "aws_vpc" "this" {
  cidr_block = "10.7.0.0/16"
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.7.0.0/20"
}

module "service" {
  source        = "MODULE"
  name          = var.name
  image         = { uri = var.image }
  environment   = { GREETING = var.greeting }
  ami_id        = var.ami_id
  vpc_id        = aws_vpc.this.id
  subnet_ids    = [aws_subnet.this.id]
  health_check  = { path = "/" }
  load_balancer = null
  allowed_cidrs = ["10.0.0.0/8"]
}

output "instance" {
  value = module.service.instance
}
