output "role_arns" {
  description = "ARNs of the roles: `plan`, `build` and, with a cluster, `deploy`."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
  depends_on  = [aws_iam_role_policy.this, aws_iam_role_policy.state, aws_eks_access_policy_association.deploy]
}

output "oidc_provider_arn" {
  description = "ARN of the OIDC provider, for the next repository's roles."
  value       = local.provider
}

output "deploy_rbac" {
  description = "Manifest of the namespaces, and in each the role and binding for `custom_resources`. An administrator of the cluster applies it, before the first deployment: `terraform output -raw deploy_rbac | kubectl apply -f -`."
  value       = join("---\n", local.rbac)
}
