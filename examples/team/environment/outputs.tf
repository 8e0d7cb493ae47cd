output "api_image" {
  description = "The release's api, by digest."
  value       = ecr_image_copy.service["api"].uri
}

output "web_image" {
  description = "The release's web, by digest."
  value       = ecr_image_copy.service["web"].uri
}

output "cluster" {
  description = "The cluster to deploy to."
  value       = module.eks.cluster
}
