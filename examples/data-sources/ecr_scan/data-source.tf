data "ecr_image" "api" {
  reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1.8"
}

data "ecr_scan" "api" {
  image = data.ecr_image.api.uri
}

output "fixable" {
  value = [for finding in data.ecr_scan.api.findings : finding.id if finding.fix_available == "YES"]
}
