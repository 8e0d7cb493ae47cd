data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

data "aws_ec2_instance_type" "this" {
  instance_type = var.instance_type
}

# By its full name, so that it is the same image until somebody asks for another.
data "aws_ami" "this" {
  most_recent        = true
  include_deprecated = true
  owners             = var.ami_id == null ? ["amazon"] : null

  filter {
    name   = var.ami_id == null ? "name" : "image-id"
    values = [coalesce(var.ami_id, "al2023-ami-ecs-hvm-2023.0.${var.ami_release}-kernel-6.1-${local.architecture}")]
  }
}

locals {
  # EC2's word for the architecture, and the platform of images for it.
  architecture = contains(data.aws_ec2_instance_type.this.supported_architectures, "arm64") ? "arm64" : "x86_64"
  platform     = { arm64 = "linux/arm64", x86_64 = "linux/amd64" }[local.architecture]

  region        = data.aws_region.current.id
  single        = var.load_balancer == null
  registry      = split("/", var.image.uri)[0]
  repository    = trimprefix(split("@", var.image.uri)[0], "${local.registry}/")
  registry_part = split(".", local.registry) # account, dkr, ecr, region, …
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/vm-service/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_launch_template" "this" {
  name                   = var.name
  image_id               = data.aws_ami.this.id
  instance_type          = var.instance_type
  vpc_security_group_ids = [aws_security_group.instance.id]
  update_default_version = true
  user_data              = base64encode(local.user_data)
  tags                   = var.tags

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  # One hop ends at the instance itself: a container gets no credentials unless the service was given rights.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = length(var.policy_arns) > 0 ? 2 : 1
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = data.aws_ami.this.root_device_name

    ebs {
      volume_type           = "gp3"
      encrypted             = true
      kms_key_id            = var.kms_key_arn
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = var.name })
    }
  }

  lifecycle {
    precondition {
      condition     = data.aws_ami.this.architecture == local.architecture
      error_message = "The AMI ${data.aws_ami.this.id} is for ${data.aws_ami.this.architecture}, and ${var.instance_type} is ${local.architecture}."
    }
    precondition {
      condition     = anytrue([for platform in var.image.platforms : platform == local.platform || startswith(platform, "${local.platform}/")])
      error_message = "The image is for ${join(", ", var.image.platforms)}, and ${var.instance_type} with the AMI ${data.aws_ami.this.id} runs ${local.platform}: build the image for it, or choose another instance_type."
    }
  }
}
