output "image" {
  description = "The builders' image by digest."
  value       = ecr_image.buildkit.uri
}

output "values" {
  description = "Values of the chart: what a builder shows to clients, and whom it takes for one."
  sensitive   = true
  value = yamlencode({ tls = {
    ca   = tls_self_signed_cert.authority.cert_pem
    cert = tls_locally_signed_cert.this["server"].cert_pem
    key  = tls_private_key.this["server"].private_key_pem
  } })
}

output "ca" {
  description = "Whose certificates builders have."
  value       = tls_self_signed_cert.authority.cert_pem
}

output "client_cert" {
  description = "What a runner shows to builders."
  value       = tls_locally_signed_cert.this["client"].cert_pem
}

output "client_key" {
  description = "Its key."
  sensitive   = true
  value       = tls_private_key.this["client"].private_key_pem
}
