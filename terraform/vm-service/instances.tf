# One group per version of the launch template. The new one has to answer behind the load balancer before the old one goes;
# if it never does, apply fails and the old one goes on. After a failure the old group is a deposed object in the state:
# the next apply again removes it only when its successor answers.
resource "aws_autoscaling_group" "this" {
  count = local.single ? 0 : 1

  name_prefix         = var.rollout == "new_group" ? "${var.name}-${aws_launch_template.this.latest_version}-" : "${var.name}-"
  min_size            = var.instance_count
  max_size            = var.instance_count
  vpc_zone_identifier = var.subnet_ids
  target_group_arns   = [aws_lb_target_group.this[0].arn]

  health_check_type         = "ELB"
  health_check_grace_period = var.grace_period
  wait_for_elb_capacity     = var.instance_count
  wait_for_capacity_timeout = var.wait_timeout

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  dynamic "instance_refresh" {
    for_each = var.rollout == "instance_refresh" ? [1] : []

    content {
      strategy = "Rolling"

      preferences {
        min_healthy_percentage = 100
        max_healthy_percentage = 200
        instance_warmup        = var.grace_period
      }
    }
  }

  dynamic "tag" {
    for_each = var.tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false # the launch template tags instances and their disks
    }
  }

  # A target group without a listener checks nothing.
  depends_on = [aws_lb_listener.https, aws_vpc_security_group_ingress_rule.balancer, aws_vpc_security_group_egress_rule.instances, aws_vpc_security_group_egress_rule.https]

  lifecycle {
    create_before_destroy = true
  }
}

# Without a load balancer: one instance, replaced with each version. It is gone before its successor answers.
resource "aws_instance" "this" {
  count = local.single ? 1 : 0

  subnet_id = var.subnet_ids[0]

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  depends_on = [aws_vpc_security_group_egress_rule.https]

  lifecycle {
    replace_triggered_by = [aws_launch_template.this.latest_version]
    ignore_changes       = [user_data] # the template's
  }
}
