# { sha256 = "2cf2…", size = 5 }
output "hello" {
  value = provider::files::fingerprint("hello")
}
