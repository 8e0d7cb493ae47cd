# Before the nodes: without them a node never gets ready. The agent runs in the host's network, so it needs no CNI, and
# the CNI has its rights from it.
resource "aws_eks_addon" "before_nodes" {
  for_each = toset(local.auto ? [] : ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"])

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = lookup(var.addon_versions, each.key, null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = var.tags

  depends_on = [aws_eks_pod_identity_association.cni]
}

resource "aws_eks_pod_identity_association" "cni" {
  count = local.auto ? 0 : 1

  cluster_name    = aws_eks_cluster.this.name
  namespace       = "kube-system"
  service_account = "aws-node"
  role_arn        = aws_iam_role.cni[0].arn
  tags            = var.tags

  depends_on = [aws_iam_role_policy_attachment.cni]
}

# After them: it is not healthy before it has a node to run on, and the apply would wait in vain.
resource "aws_eks_addon" "coredns" {
  count = local.auto ? 0 : 1

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "coredns"
  addon_version               = lookup(var.addon_versions, "coredns", null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = var.tags

  depends_on = [aws_eks_node_group.this]
}
