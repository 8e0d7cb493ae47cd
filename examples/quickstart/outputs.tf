output "image" {
  description = "The image by digest."
  value       = ecr_image.web.uri
}

output "cluster" {
  description = "The cluster to deploy to."
  value       = module.eks.cluster
}
