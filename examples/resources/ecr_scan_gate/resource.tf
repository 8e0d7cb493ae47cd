data "ecr_image" "api" {
  reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1.8"
}

resource "ecr_scan_gate" "api" {
  image   = data.ecr_image.api.uri
  fail_on = "HIGH"

  ignore = [
    { id = "CVE-2024-3094", until = "2027-01-31", reason = "No program in the image calls liblzma." },
  ]
}

# Known once the image is through.
output "image" {
  value = ecr_scan_gate.api.passed_uri
}
