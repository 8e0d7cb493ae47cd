# From a Dockerfile: BuildKit builds it, in the Docker daemon that is there.
resource "ecr_image" "api" {
  repository = module.ecr.repository_urls["${var.name}/api"]
  tags       = ["latest", var.release]

  build = {
    context = "../app"
    args    = { BUILD_IMAGE = var.build_image }
  }
}

# From files on a base image: no daemon, no Dockerfile.
resource "ecr_image" "site" {
  repository = module.ecr.repository_urls["${var.name}/site"]
  tags       = ["latest", var.release]

  files = {
    base       = var.site_base
    layers     = [{ source = "../site", destination = "/www" }]
    entrypoint = ["httpd", "-f", "-p", "8080", "-h", "/www"]
    user       = "65532:65532"
  }
}
