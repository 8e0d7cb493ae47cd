data "ecr_image" "release" {
  reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1.8"
}

# What production runs is what this tag says. Going back: previous_digest.
resource "ecr_tag" "production" {
  repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api"
  tag        = "production"
  digest     = data.ecr_image.release.digest
}
