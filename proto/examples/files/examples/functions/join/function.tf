# "keys/deploy"
output "path" {
  value = provider::files::join("keys", "deploy")
}
