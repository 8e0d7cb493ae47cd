output "backend" {
  description = "The block for the state of this configuration: write it into backend.tf and run `terraform init -migrate-state`."
  value       = module.state.backend["bootstrap"]
}

output "roles" {
  description = "ARNs for the pipeline's variables: `plan`, `build`, `deploy`."
  value       = module.ci.role_arns
}

output "repository" {
  description = "Where the image goes."
  value       = module.ecr.repository_urls["${var.name}/web"]
}

output "deploy_rbac" {
  description = "For an administrator of the cluster: `terraform output -raw deploy_rbac | kubectl apply -f -`."
  value       = module.ci.deploy_rbac
}
