# terraform apply -invoke=action.ecr_prune.previews
action "ecr_prune" "previews" {
  config {
    repository  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api"
    tag_pattern = "pr-*"
    older_than  = "30d"
    keep        = 5
    dry_run     = true
  }
}
