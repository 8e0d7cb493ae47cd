ephemeral "files_temporary" "key" {
  content = "correct horse battery staple"
}

# Where a program that reads keys from files finds it, as long as it is there.
resource "files_file" "where" {
  path               = "key-file"
  content_wo         = ephemeral.files_temporary.key.path
  content_wo_version = 1
}
