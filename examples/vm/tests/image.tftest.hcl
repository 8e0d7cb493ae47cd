# Everything is made up: no account is needed, no registry and no daemon.
mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/hello-vm" }
  }
}

mock_provider "ecr" {
  mock_resource "ecr_image" {
    defaults = { uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/hello-vm@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
}

override_module {
  target  = module.network
  outputs = { vpc_id = "vpc-1", private_subnet_ids = ["subnet-1", "subnet-2"], public_subnet_ids = ["subnet-8", "subnet-9"] }
}

override_module {
  target  = module.service
  outputs = { load_balancer = {}, target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/hello/1", log_group_name = "/vm-service/hello-vm" }
}

variables {
  certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
  allowed_cidrs   = ["192.0.2.0/24"]
}

run "the_image_is_run_by_its_digest" {
  assert {
    condition     = ecr_image.site.repository == module.ecr.repository_urls["hello-vm"] && ecr_image.site.files.user == "65532:65532"
    error_message = "the image goes to the service's own repository, and nobody in it is root"
  }
  assert {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", output.image))
    error_message = "a tag could be another image tomorrow"
  }
}
