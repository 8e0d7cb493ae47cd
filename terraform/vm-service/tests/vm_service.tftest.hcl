mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { supported_architectures = ["x86_64"] }
  }
  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef0", architecture = "x86_64", root_device_name = "/dev/xvda" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/vm-service/shop" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::111122223333:instance-profile/shop-vm" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/1" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 7 }
  }
}

variables {
  name       = "shop"
  vpc_id     = "vpc-1"
  subnet_ids = ["subnet-1", "subnet-2"]
  image = {
    uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }
  load_balancer = {
    subnet_ids      = ["subnet-8", "subnet-9"]
    certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
    allowed_cidrs   = ["192.0.2.0/24"]
  }
}

run "user_data_is_files_and_units" {
  assert {
    condition     = toset(keys(yamldecode(local.user_data))) == toset(["packages", "write_files", "runcmd"])
    error_message = "user data is what every distribution's cloud-init understands"
  }
  assert {
    condition     = strcontains(local.files["/etc/systemd/system/shop.service"].content, "docker pull --quiet ${var.image.uri}\n") && !strcontains(local.user_data, ":latest")
    error_message = "the unit must pull the image by its digest"
  }
  assert {
    condition     = strcontains(local.files["/etc/systemd/system/shop.service"].content, "\nRestart=always\n")
    error_message = "the unit must come back when the service ends"
  }
  assert {
    condition     = jsondecode(local.files["/etc/shop/docker/config.json"].content) == { credHelpers = { "111122223333.dkr.ecr.eu-west-1.amazonaws.com" = "ecr-login" } }
    error_message = "the login comes from the credential helper alone"
  }
  assert {
    condition     = base64decode(aws_launch_template.this.user_data) == local.user_data && length(local.user_data) < 16384
    error_message = "the launch template carries the user data, which EC2 limits to 16 KB"
  }
}

run "instances_are_closed" {
  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required" && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 only, and not from containers"
  }
  assert {
    condition     = aws_launch_template.this.key_name == null && length(aws_vpc_security_group_ingress_rule.single) == 0
    error_message = "no SSH key, and nobody but the load balancer"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.balancer[0].cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.balancer[0].from_port == 8080 && aws_vpc_security_group_ingress_rule.balancer[0].to_port == 8080
    error_message = "the load balancer reaches the service's port and no other"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443
    error_message = "the way out is HTTPS"
  }
  assert {
    condition     = aws_launch_template.this.block_device_mappings[0].ebs[0].encrypted == "true" && aws_launch_template.this.block_device_mappings[0].ebs[0].volume_type == "gp3"
    error_message = "disks are encrypted"
  }
}

run "the_role_can_do_what_it_takes" {
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Action if s.Resource == "*"] == [[
      "ecr:GetAuthorizationToken", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ]]
    error_message = "only actions that know no resource may be on all"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "Pull"] == ["arn:aws:ecr:eu-west-1:111122223333:repository/shop/api"]
    error_message = "the instance pulls from the repository of its image and from no other"
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.this.policy, "ecr:Put") && !strcontains(aws_iam_role_policy.this.policy, "ssm:GetParameter")
    error_message = "the instance pushes nothing and reads no parameters"
  }
  assert {
    condition     = length(aws_iam_role_policy_attachment.service) == 0
    error_message = "no managed policies by default"
  }
}

run "the_balancer_speaks_https_and_checks_health" {
  assert {
    condition     = aws_lb_listener.https[0].protocol == "HTTPS" && strcontains(aws_lb_listener.https[0].ssl_policy, "TLS13") && aws_lb.this[0].drop_invalid_header_fields
    error_message = "HTTPS with a current policy"
  }
  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.clients) == ["192.0.2.0/24"]
    error_message = "only who was named reaches the load balancer"
  }
  assert {
    condition     = aws_lb_target_group.this[0].health_check[0].path == "/healthz" && aws_lb_target_group.this[0].deregistration_delay == "30"
    error_message = "targets are asked for their health, and let requests end"
  }
}

run "a_new_group_per_version_waits_for_healthy_targets" {
  assert {
    condition     = aws_autoscaling_group.this[0].name_prefix == "shop-7-" && aws_autoscaling_group.this[0].launch_template[0].version == "7"
    error_message = "another version must make another group"
  }
  assert {
    condition     = aws_autoscaling_group.this[0].health_check_type == "ELB" && aws_autoscaling_group.this[0].wait_for_elb_capacity == 2 && aws_autoscaling_group.this[0].wait_for_capacity_timeout == "10m"
    error_message = "apply must wait until all instances answer"
  }
  assert {
    condition     = length(aws_autoscaling_group.this[0].instance_refresh) == 0 && length(aws_instance.this) == 0
    error_message = "no refresh and no single instance unless asked for"
  }
}

run "a_refresh_keeps_its_group" {
  variables {
    rollout = "instance_refresh"
  }

  assert {
    condition     = aws_autoscaling_group.this[0].name_prefix == "shop-" && aws_autoscaling_group.this[0].instance_refresh[0].preferences[0].min_healthy_percentage == 100
    error_message = "the group must stay, and never have fewer healthy instances"
  }
}

run "a_single_instance_needs_no_balancer" {
  variables {
    load_balancer = null
    allowed_cidrs = ["10.0.0.0/8"]
  }

  assert {
    condition     = length(aws_lb.this) + length(aws_autoscaling_group.this) + length(aws_security_group.balancer) == 0 && length(aws_instance.this) == 1
    error_message = "one instance and nothing before it"
  }
  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.single) == ["10.0.0.0/8"] && output.load_balancer == null && output.instance.id == aws_instance.this[0].id
    error_message = "clients reach the instance itself"
  }
  assert {
    condition     = aws_instance.this[0].launch_template[0].id == aws_launch_template.this.id
    error_message = "the same template as a group's"
  }
}

run "rights_of_the_service_open_the_second_hop" {
  variables {
    policy_arns = { queue = "arn:aws:iam::111122223333:policy/queue" }
  }

  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 2 && aws_iam_role_policy_attachment.service["queue"].policy_arn == "arn:aws:iam::111122223333:policy/queue"
    error_message = "a container may use rights that were given to it"
  }
}

run "arm_finds_its_own_ami" {
  variables {
    instance_type = "t4g.small"
    image = {
      uri       = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      platforms = ["linux/arm64/v8"]
    }
  }
  override_data {
    target = data.aws_ec2_instance_type.this
    values = { supported_architectures = ["arm64"] }
  }
  override_data {
    target = data.aws_ami.this
    values = { id = "ami-0123456789abcdef0", architecture = "arm64", root_device_name = "/dev/xvda" }
  }

  assert {
    condition     = one([for f in data.aws_ami.this.filter : one(f.values)]) == "al2023-ami-ecs-hvm-2023.0.20260820-kernel-6.1-arm64" && data.aws_ami.this.owners == tolist(["amazon"])
    error_message = "the AMI is Amazon's, named in full"
  }
}

run "an_image_for_another_architecture_is_refused" {
  command = plan

  variables {
    image = {
      uri       = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      platforms = ["linux/arm64"]
    }
  }

  expect_failures = [aws_launch_template.this]
}

run "an_ami_for_another_architecture_is_refused" {
  command = plan

  variables {
    ami_id = "ami-0fedcba9876543210"
  }
  override_data {
    target = data.aws_ami.this
    values = { id = "ami-0fedcba9876543210", architecture = "arm64", root_device_name = "/dev/xvda" }
  }

  expect_failures = [aws_launch_template.this]
}

run "a_tag_is_refused" {
  command = plan

  variables {
    image = { uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api:latest" }
  }

  expect_failures = [var.image]
}

run "names_that_aws_refuses_are_refused" {
  command = plan

  variables {
    name = "Shop_with_a_name_that_is_far_too_long"
  }

  expect_failures = [var.name]
}

run "bad_values_are_refused_in_words" {
  command = plan

  variables {
    port               = 70000
    environment        = { "A B" = "x" }
    health_check       = { path = "healthz" }
    ami_id             = "al2023"
    ami_release        = "latest"
    rollout            = "canary"
    wait_timeout       = "forever"
    log_retention_days = 2
    instance_count     = 0
    subnet_ids         = []
    load_balancer      = { subnet_ids = ["subnet-8"], certificate_arn = "cert", allowed_cidrs = [], deregistration_delay = -1 }
  }

  expect_failures = [
    var.port, var.environment, var.health_check, var.ami_id, var.ami_release, var.rollout, var.wait_timeout,
    var.log_retention_days, var.instance_count, var.subnet_ids, var.load_balancer,
  ]
}

run "clients_of_a_balancer_do_not_reach_instances" {
  command = plan

  variables {
    allowed_cidrs = ["10.0.0.0/8"]
  }

  expect_failures = [var.allowed_cidrs]
}
