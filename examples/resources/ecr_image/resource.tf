resource "ecr_image" "api" {
  repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api"
  tags       = ["latest"]

  build = {
    context = "${path.module}/app"
  }
}

output "image" {
  value = ecr_image.api.uri
}
