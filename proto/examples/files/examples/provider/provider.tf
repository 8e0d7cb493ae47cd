terraform {
  required_providers {
    files = { source = "example.com/tfplugin/files" }
  }
}

provider "files" {
  root = "${path.root}/site"
}
