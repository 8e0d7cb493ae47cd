data "ecr_images" "releases" {
  repository  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api"
  tag_pattern = "v*"
}

output "newest" {
  value = one(slice(data.ecr_images.releases.images[*].uri, 0, 1))
}
