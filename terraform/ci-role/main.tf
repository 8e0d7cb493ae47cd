data "aws_partition" "current" {}

locals {
  github = var.github != null

  url      = local.github ? "https://token.actions.githubusercontent.com" : var.gitlab.url
  audience = local.github ? "sts.amazonaws.com" : var.gitlab.audience
  claims   = trimprefix(local.url, "https://") # the issuer, as IAM begins the names of its claims with
  existing = local.github ? var.github.oidc_provider_arn : var.gitlab.oidc_provider_arn
  provider = local.existing != null ? local.existing : aws_iam_openid_connect_provider.this[0].arn
}

resource "aws_iam_openid_connect_provider" "this" {
  count = local.existing == null ? 1 : 0

  url            = local.url
  client_id_list = [local.audience]
  tags           = var.tags
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-ci-${each.key}"
  description          = each.value.description
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [local.trust[each.key]] })
  tags                 = var.tags
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name   = "ci"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value.statements })
}

resource "aws_iam_role_policy" "state" {
  for_each = var.state == null ? {} : { plan = var.state.read, build = var.state.write }

  name   = "state"
  role   = aws_iam_role.this[each.key].name
  policy = each.value
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = var.plan_policy_arns

  role       = aws_iam_role.this["plan"].name
  policy_arn = each.key
}
