resource "files_file" "page" {
  path    = "index.html"
  content = "<h1>hello</h1>\n"
}

# The content is in neither plan nor state; raise the version to write it again.
resource "files_file" "key" {
  path               = "keys/deploy"
  content_wo         = var.deploy_key
  content_wo_version = 1
  mode               = "0600"

  timeouts = { create = "30s" }
}

variable "deploy_key" {
  type      = string
  ephemeral = true
}
