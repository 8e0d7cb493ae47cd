terraform {
  required_providers {
    files = { source = "example.com/tfplugin/files" }
  }

  state_store "files_folder" {
    provider "files" {
      root = "/var/lib/terraform"
    }

    path = "shop"
  }
}
