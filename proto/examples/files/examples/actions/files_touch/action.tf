action "files_touch" "site" {
  config {
    paths = ["index.html"]
  }
}
