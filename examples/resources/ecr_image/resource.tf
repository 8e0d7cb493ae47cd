resource "ecr_image" "api" {
  repository = "shop/api"
  tags       = ["latest"]

  build = {
    context = "${path.module}/app"
  }
}

output "image" {
  value = ecr_image.api.uri
}
