output "pull_through_prefixes" {
  description = "Upstream host of each prefix: an image `<registry>/<prefix>/<name>` is pulled from `<upstream>/<name>`."
  value       = { for prefix, rule in aws_ecr_pull_through_cache_rule.this : prefix => rule.upstream_registry_url }
}
