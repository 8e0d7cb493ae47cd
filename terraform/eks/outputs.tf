output "cluster" {
  description = "What a client needs to reach the cluster: `name`, `region`, `endpoint` (URL), `ca` (PEM, base64) and `arn`."
  # Handed out when deploying can work: with nodes to run on and entries to get in.
  depends_on = [aws_eks_node_group.this, aws_eks_access_policy_association.this]
  value = {
    name     = aws_eks_cluster.this.name
    region   = split(":", aws_eks_cluster.this.arn)[3]
    endpoint = aws_eks_cluster.this.endpoint
    ca       = aws_eks_cluster.this.certificate_authority[0].data
    arn      = aws_eks_cluster.this.arn
  }
}

output "node_role_arn" {
  description = "ARN of the nodes' role, for policies that name it."
  value       = aws_iam_role.node.arn
}
