output "cluster" {
  description = "What a client needs to reach the cluster: `name`, `region`, `account`, `endpoint` (URL), `ca` (PEM, base64) and `arn`."
  # Handed out when deploying can work: with nodes to run on, names to find and entries to get in.
  depends_on = [aws_eks_node_group.this, aws_eks_addon.coredns, aws_eks_access_policy_association.this]
  value = {
    name     = aws_eks_cluster.this.name
    region   = split(":", aws_eks_cluster.this.arn)[3]
    account  = split(":", aws_eks_cluster.this.arn)[4]
    endpoint = aws_eks_cluster.this.endpoint
    ca       = aws_eks_cluster.this.certificate_authority[0].data
    arn      = aws_eks_cluster.this.arn
  }
}

output "node_role_arn" {
  description = "ARN of the nodes' role, for policies that name it."
  value       = aws_iam_role.node.arn
}

output "security_group_id" {
  description = "Id of the security group that EKS gives the control plane and the nodes, for rules that name it."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "arm_node_pool" {
  description = "With Auto Mode: a NodePool for arm64, to be applied by an administrator of the cluster (`kubectl apply -f -`)."
  value       = local.auto ? file("${path.module}/arm-node-pool.yaml") : null
}
