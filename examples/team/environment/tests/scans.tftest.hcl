# Everything is made up, images too: what is shown is who decides which of them an environment runs.
mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop-test/web" }
  }
}

mock_provider "ecr" {
  mock_data "ecr_image" {
    defaults = { uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
  mock_resource "ecr_scan_gate" {
    defaults = { passed_uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
  mock_resource "ecr_image_copy" {
    defaults = { uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop-test/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
}

override_module {
  target  = module.network
  outputs = { private_subnet_ids = ["subnet-1", "subnet-2"] }
}

override_module {
  target  = module.eks
  outputs = { cluster = { name = "shop" } }
}

variables {
  registry           = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop"
  release            = "v1"
  kubernetes_version = "1.34"
  cidr               = "10.0.0.0/16"
  office_addresses   = ["203.0.113.0/24"]
  admin_arn          = "arn:aws:iam::111122223333:role/admin"
  deployer_arn       = "arn:aws:iam::111122223333:role/deployer"
}

run "production_takes_what_its_gate_lets_through" {
  variables {
    environment = "production"
  }
  assert {
    condition     = { for service, gate in ecr_scan_gate.service : service => gate.fail_on } == { api = "HIGH", web = "HIGH" }
    error_message = "production is stricter than what ECR calls critical"
  }
  assert {
    condition     = alltrue([for service, copy in ecr_image_copy.service : copy.source == ecr_scan_gate.service[service].passed_uri && copy.tags == toset(["v1"])])
    error_message = "nothing is copied past the gate"
  }
  assert {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", output.web_image))
    error_message = "what is deployed is named by digest"
  }
}

run "staging_may_do_without_scans" {
  variables {
    environment  = "staging"
    require_scan = false
  }
  assert {
    condition     = length(ecr_scan_gate.service) == 0 && ecr_image_copy.service["web"].source == data.ecr_image.service["web"].uri
    error_message = "without a gate the release itself is copied"
  }
}
