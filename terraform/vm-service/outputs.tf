output "load_balancer" {
  description = "The load balancer, for a DNS alias: `dns_name`, `zone_id` and `arn`. `null` for a single instance."
  # Handed out when somebody answers.
  depends_on = [aws_autoscaling_group.this]
  value = local.single ? null : {
    dns_name = aws_lb.this[0].dns_name
    zone_id  = aws_lb.this[0].zone_id
    arn      = aws_lb.this[0].arn
  }
}

output "instance" {
  description = "The single instance: `id` and `private_ip`. `null` with a load balancer."
  value = local.single ? {
    id         = aws_instance.this[0].id
    private_ip = aws_instance.this[0].private_ip
  } : null
}

output "target_group_arn" {
  description = "ARN of the load balancer's target group, for alarms. `null` for a single instance."
  value       = one(aws_lb_target_group.this[*].arn)
}

output "group_name" {
  description = "Name of the current Auto Scaling group; each version has its own. `null` for a single instance."
  value       = one(aws_autoscaling_group.this[*].name)
}

output "launch_template" {
  description = "The launch template: its `id` and its latest `version`."
  value = {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }
}

output "security_group_id" {
  description = "Security group of the instances, for rules to a database and the like."
  value       = aws_security_group.instance.id
}

output "role_name" {
  description = "Name of the instances' role."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "CloudWatch log group with a stream for each instance."
  value       = aws_cloudwatch_log_group.this.name
}

output "ami_id" {
  description = "The AMI that `ami_release` stands for in this region, or the one given."
  value       = data.aws_ami.this.id
}
