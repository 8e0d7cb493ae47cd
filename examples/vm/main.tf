module "network" {
  source = "../../terraform/network"
  name   = var.name
}

module "ecr" {
  source       = "../../terraform/ecr"
  repositories = { (var.name) = { force_delete = var.force_delete } }
}

# Pages on a web server, without a Dockerfile or a daemon.
resource "ecr_image" "site" {
  repository = module.ecr.repository_urls[var.name]

  files = {
    base       = var.base
    layers     = [{ source = "${path.module}/site", destination = "/www" }]
    entrypoint = ["httpd", "-f", "-v", "-p", "8080", "-h", "/www"]
    user       = "65532:65532"
  }
}

module "service" {
  source         = "../../terraform/vm-service"
  name           = var.name
  image          = { uri = coalesce(var.image, ecr_image.site.uri), platforms = ecr_image.site.platforms }
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.private_subnet_ids
  instance_count = var.instance_count
  ami_id         = var.ami_id
  wait_timeout   = var.wait_timeout
  health_check   = { path = "/" }

  load_balancer = {
    subnet_ids           = module.network.public_subnet_ids
    certificate_arn      = var.certificate_arn
    allowed_cidrs        = var.allowed_cidrs
    deregistration_delay = 15
  }
}
