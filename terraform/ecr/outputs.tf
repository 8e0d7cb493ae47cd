output "repository_urls" {
  description = "URL of each repository by name: `account.dkr.ecr.region.amazonaws.com/name`."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "ARN of each repository by name, for the policies of those who push and pull."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
