import {
  to = ecr_tag.production
  identity = {
    account_id      = "123456789012"
    region          = "eu-west-1"
    repository_name = "shop/api"
    tag             = "production"
  }
}
