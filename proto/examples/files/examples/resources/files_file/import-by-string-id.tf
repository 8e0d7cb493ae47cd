import {
  to = files_file.page
  id = "index.html"
}
