output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "zones" {
  description = "The availability zones."
  value       = local.zones
}

output "private_subnet_ids" {
  description = "Ids of the subnets for nodes and pods, in the order of their zones."
  # Usable only with their way out: nodes that start earlier cannot join a cluster.
  value = [for zone in local.zones : aws_subnet.private[zone].id]
  depends_on = [
    aws_route.internet, aws_route.nat, aws_route_table_association.private, aws_route_table_association.public,
    aws_vpc_endpoint.interface, aws_vpc_endpoint.s3, aws_vpc_security_group_ingress_rule.endpoints,
  ]
}

output "public_subnet_ids" {
  description = "Ids of the subnets for load balancers that the internet reaches, in the order of their zones."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
  depends_on  = [aws_route.internet, aws_route_table_association.public]
}

output "nat_addresses" {
  description = "Public addresses under which the private subnets appear outside."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
