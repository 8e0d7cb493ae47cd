output "image" {
  description = "The image built here, by digest."
  value       = ecr_image.site.uri
}

output "load_balancer" {
  description = "Where the service answers: point an alias of the certificate's name here."
  value       = module.service.load_balancer
}

output "target_group_arn" {
  description = "The load balancer's target group, for alarms."
  value       = module.service.target_group_arn
}

output "log_group_name" {
  description = "Where the service's output is."
  value       = module.service.log_group_name
}
