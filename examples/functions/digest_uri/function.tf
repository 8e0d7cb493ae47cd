data "ecr_image" "api" {
  reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1.8"
}

# The same image, where a pull-through proxy has it.
output "image" {
  value = provider::ecr::digest_uri("registry.example.com/shop/api", data.ecr_image.api.digest)
}
