# One authority for this fleet alone. Whoever has a certificate of it may build here, and nobody else; a builder that has
# none of it gets no build. All keys are in this state.
locals {
  year  = 365 * 24
  month = 30 * 24
  # Within the cluster each builder has a name below the headless Service's; from outside all go by the first name.
  names = ["buildkit", "localhost", "*.buildkit.${var.namespace}.svc", "*.buildkit.${var.namespace}.svc.cluster.local"]
  roles = {
    server = { names = local.names, uses = ["digital_signature", "server_auth"] }
    client = { names = [], uses = ["digital_signature", "client_auth"] }
  }
}

resource "tls_private_key" "authority" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}

resource "tls_self_signed_cert" "authority" {
  private_key_pem       = tls_private_key.authority.private_key_pem
  is_ca_certificate     = true
  validity_period_hours = 10 * local.year
  allowed_uses          = ["cert_signing", "crl_signing"]

  subject {
    common_name = "buildkit fleet"
  }
}

resource "tls_private_key" "this" {
  for_each    = local.roles
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}

resource "tls_cert_request" "this" {
  for_each        = local.roles
  private_key_pem = tls_private_key.this[each.key].private_key_pem
  dns_names       = each.value.names

  subject {
    common_name = "buildkit ${each.key}"
  }
}

# An apply in the last month makes new ones.
resource "tls_locally_signed_cert" "this" {
  for_each              = local.roles
  cert_request_pem      = tls_cert_request.this[each.key].cert_request_pem
  ca_private_key_pem    = tls_private_key.authority.private_key_pem
  ca_cert_pem           = tls_self_signed_cert.authority.cert_pem
  validity_period_hours = local.year
  early_renewal_hours   = local.month
  allowed_uses          = each.value.uses
}
