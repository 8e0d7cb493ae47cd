data "files_file" "licence" {
  path = "LICENSE"
}

output "licence" {
  value = data.files_file.licence.sha256
}
