ephemeral "files_temporary" "key" {
  content = var.deploy_key
}

provider "ssh" {
  key_file = ephemeral.files_temporary.key.path
}
