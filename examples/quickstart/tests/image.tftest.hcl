# Everything is made up: no account is needed, no registry and no daemon.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { arn = "arn:aws:sts::111122223333:assumed-role/admin/me" }
  }
  mock_data "aws_iam_session_context" {
    defaults = { issuer_arn = "arn:aws:iam::111122223333:role/admin" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/quickstart" }
  }
}

mock_provider "ecr" {
  mock_resource "ecr_image" {
    defaults = { uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/quickstart@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
}

override_module {
  target  = module.network
  outputs = { private_subnet_ids = ["subnet-1", "subnet-2"] }
}

override_module {
  target  = module.eks
  outputs = { cluster = { name = "quickstart" } }
}

variables {
  my_addresses = ["203.0.113.7/32"]
}

run "the_image_is_deployed_by_its_digest" {
  assert {
    condition     = ecr_image.web.repository == module.ecr.repository_urls["quickstart"]
    error_message = "the image goes to the service's own repository"
  }
  assert {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", output.image))
    error_message = "a tag could be another image tomorrow"
  }
  assert {
    condition     = ecr_image.web.files.user == "65532:65532"
    error_message = "nobody in the image is root"
  }
}
