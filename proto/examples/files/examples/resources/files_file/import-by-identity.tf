import {
  to       = files_file.page
  identity = { path = "index.html" }
}
