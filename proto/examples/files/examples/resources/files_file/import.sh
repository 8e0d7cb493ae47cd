terraform import files_file.page index.html
