data "ecr_image" "api" {
  reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1.8"
}

output "image" {
  value = data.ecr_image.api.uri
}
