output "api_image" {
  description = "The api's image by digest."
  value       = ecr_image.api.uri
}

output "site_image" {
  description = "The site's image by digest."
  value       = ecr_image.site.uri
}

output "cluster" {
  description = "The cluster to deploy to."
  value       = module.eks.cluster
}
