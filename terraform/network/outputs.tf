output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Ids of the two subnets, in the order of their zones."
  # Usable only with their way out: nodes that start earlier cannot join a cluster.
  value      = [for zone in local.zones : aws_subnet.public[zone].id]
  depends_on = [aws_route.internet, aws_route_table_association.public]
}
