# No SSH anywhere: Session Manager is the way in.
resource "aws_security_group" "instance" {
  name        = "${var.name}-vm"
  description = "Instances of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-vm" })
}

# HTTPS to wherever ECR, S3, CloudWatch and Systems Manager are; what else the service calls gets its own rule.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.instance.id
  description       = "AWS's APIs"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  count = local.single ? 0 : 1

  security_group_id            = aws_security_group.instance.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_vpc_security_group_ingress_rule" "single" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.instance.id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
}

resource "aws_security_group" "balancer" {
  count = local.single ? 0 : 1

  name        = "${var.name}-lb"
  description = "Load balancer of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-lb" })
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = toset(local.single ? [] : var.load_balancer.allowed_cidrs)

  security_group_id = aws_security_group.balancer[0].id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "instances" {
  count = local.single ? 0 : 1

  security_group_id            = aws_security_group.balancer[0].id
  description                  = "To the instances"
  referenced_security_group_id = aws_security_group.instance.id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_lb" "this" {
  count = local.single ? 0 : 1

  name                       = var.name
  load_balancer_type         = "application"
  internal                   = var.load_balancer.internal
  subnets                    = var.load_balancer.subnet_ids
  security_groups            = [aws_security_group.balancer[0].id]
  drop_invalid_header_fields = true
  tags                       = var.tags
}

resource "aws_lb_target_group" "this" {
  count = local.single ? 0 : 1

  name                 = "${var.name}-${var.port}" # another port makes another group, beside the one in use
  vpc_id               = var.vpc_id
  port                 = var.port
  protocol             = "HTTP"
  deregistration_delay = var.load_balancer.deregistration_delay
  tags                 = var.tags

  health_check {
    path                = var.health_check.path
    matcher             = var.health_check.codes
    interval            = var.health_check.interval
    timeout             = var.health_check.timeout
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  count = local.single ? 0 : 1

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.load_balancer.certificate_arn
  tags              = var.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
}
