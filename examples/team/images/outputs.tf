output "registry" {
  description = "The registry with the beginning of the repositories' names: what environments take."
  value       = trimsuffix(module.ecr.repository_urls["${var.name}/api"], "/api")
}

output "images" {
  description = "This release's images by service, by digest."
  value       = { for service, image in ecr_image.service : service => image.uri }
}
