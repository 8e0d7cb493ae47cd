list "files_file" "pages" {
  provider = files

  config {
    suffix = ".html"
  }
}
