locals {
  node_groups = local.auto ? {} : coalesce(var.node_groups, { default = {
    os       = "al2023", architecture = "x86_64", instance_types = null, capacity_type = "ON_DEMAND"
    min_size = 2, max_size = 4, disk_gib = 30, labels = {}, taints = {}
  } })

  ami_types = {
    al2023       = { x86_64 = "AL2023_x86_64_STANDARD", arm64 = "AL2023_ARM_64_STANDARD" }
    bottlerocket = { x86_64 = "BOTTLEROCKET_x86_64", arm64 = "BOTTLEROCKET_ARM_64" }
  }
  instance_types = { x86_64 = ["t3.medium"], arm64 = ["t4g.medium"] }

  # Bottlerocket keeps itself on the first disk, which is never written to, and all else on the second.
  disk = { al2023 = "/dev/xvda", bottlerocket = "/dev/xvdb" }
}

resource "aws_launch_template" "node" {
  for_each = local.node_groups

  name                   = "${var.name}-eks-${each.key}"
  update_default_version = true
  tags                   = var.tags

  # A pod does not reach the instance's credentials: its answer would have to take one hop more.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = local.disk[each.value.os]
    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])
    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = local.node_groups

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  ami_type        = local.ami_types[each.value.os][each.value.architecture]
  instance_types  = coalesce(each.value.instance_types, local.instance_types[each.value.architecture])
  capacity_type   = each.value.capacity_type
  labels          = each.value.labels
  tags            = var.tags

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.min_size
    desired_size = max(each.value.min_size, 1)
    max_size     = each.value.max_size
  }

  update_config {
    max_unavailable_percentage = 33
  }

  # A node that stays unhealthy is replaced.
  node_repair_config {
    enabled = true
  }

  dynamic "taint" {
    for_each = each.value.taints
    content {
      key    = taint.key
      value  = taint.value.value
      effect = taint.value.effect
    }
  }

  lifecycle {
    # The autoscaler's word, after the first apply.
    ignore_changes = [scaling_config[0].desired_size]
  }

  # Nodes that start without these never join, and the apply waits for them in vain.
  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.before_nodes]
}
