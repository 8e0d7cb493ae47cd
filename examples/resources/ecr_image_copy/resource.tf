data "ecr_image" "nginx" {
  reference = "public.ecr.aws/nginx/nginx:1.29"
}

# A base image of one's own: out of the reach of rate limits, and of whoever moves the tag.
resource "ecr_image_copy" "nginx" {
  source     = data.ecr_image.nginx.uri
  repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/base/nginx"
  tags       = ["1.29"]
  platforms  = ["linux/amd64", "linux/arm64"]

  timeouts {
    create = "10m"
  }
}
