output "tag" {
  value = provider::ecr::parse_reference("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1.8").tag
}
