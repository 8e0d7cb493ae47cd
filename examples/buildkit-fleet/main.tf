module "ecr" {
  source       = "../../terraform/ecr"
  repositories = { (var.repository) = { force_delete = var.force_delete } }
}

# BuildKit's own rootless image with our settings in it: builders that changed in any way have another digest.
resource "ecr_image" "buildkit" {
  repository = module.ecr.repository_urls[var.repository]
  platforms  = var.platforms

  files = {
    base   = var.base
    layers = [{ source = "${path.module}/buildkitd.toml", destination = "/etc/buildkit/buildkitd.toml" }]
  }
}
