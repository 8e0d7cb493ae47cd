locals {
  services = toset(["api", "web"])
}

module "ecr" {
  source = "../../../terraform/ecr"
  # A release is a name for good: nobody can push another image under it.
  repositories = { for service in local.services : "${var.name}/${service}" => {
    image_tag_mutability = "IMMUTABLE"
    force_delete         = var.force_delete
  } }
}

# Every service that changed gets a new image; the others keep theirs, and get the release's tag beside it.
resource "ecr_image" "service" {
  for_each = local.services

  repository = module.ecr.repository_urls["${var.name}/${each.key}"]
  tags       = [var.release]

  files = {
    base       = var.base
    layers     = [{ source = "${path.module}/${each.key}", destination = "/www" }]
    entrypoint = ["httpd", "-f", "-p", "8080", "-h", "/www"]
    user       = "65532:65532"
  }
}
