data "aws_partition" "current" {}

locals {
  auto = var.auto_mode != null
}

# Made before EKS would make it, without an end to its logs.
resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_eks_cluster" "this" {
  name                      = var.name
  version                   = var.kubernetes_version
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = var.log_types
  tags                      = var.tags

  # The add-ons below, or Auto Mode's own, and not a third kind that nobody updates.
  bootstrap_self_managed_addons = false

  # Access entries are the whole truth: no aws-auth map, no administrator who is written nowhere.
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  # Upgraded by AWS when its support ends, rather than billed six times as much.
  upgrade_policy {
    support_type = "STANDARD"
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  dynamic "encryption_config" {
    for_each = var.secrets_kms_key_arn == null ? [] : [var.secrets_kms_key_arn]
    content {
      resources = ["secrets"]
      provider {
        key_arn = encryption_config.value
      }
    }
  }

  # All three or none: EKS takes no part of them alone.
  dynamic "compute_config" {
    for_each = local.auto ? [var.auto_mode] : []
    content {
      enabled       = true
      node_pools    = compute_config.value.node_pools
      node_role_arn = length(compute_config.value.node_pools) > 0 ? aws_iam_role.node.arn : null
    }
  }

  dynamic "kubernetes_network_config" {
    for_each = local.auto ? [true] : []
    content {
      elastic_load_balancing {
        enabled = true
      }
    }
  }

  dynamic "storage_config" {
    for_each = local.auto ? [true] : []
    content {
      block_storage {
        enabled = true
      }
    }
  }

  # EKS needs the role's rights to take the cluster down again, too.
  depends_on = [aws_iam_role_policy_attachment.cluster, aws_cloudwatch_log_group.cluster]
}
