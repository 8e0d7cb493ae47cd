resource "aws_iam_role" "node" {
  name = "${var.name}-eks-node"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"])

  role       = aws_iam_role.node.name
  policy_arn = "${local.policies}/${each.key}"
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  instance_types  = var.nodes.instance_types
  tags            = var.tags

  scaling_config {
    min_size     = var.nodes.min_size
    desired_size = var.nodes.min_size
    max_size     = var.nodes.max_size
  }

  lifecycle {
    # The autoscaler's word, after the first apply.
    ignore_changes = [scaling_config[0].desired_size]
  }

  # Nodes that start without these rights never join, and the apply waits for them in vain.
  depends_on = [aws_iam_role_policy_attachment.node]
}
