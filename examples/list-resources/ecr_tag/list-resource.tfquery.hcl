# terraform query -generate-config-out=tags.tf
list "ecr_tag" "releases" {
  provider = ecr

  config {
    repository  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api"
    tag_pattern = "v*"
  }
}
