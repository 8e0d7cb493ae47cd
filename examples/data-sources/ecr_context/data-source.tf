data "ecr_context" "api" {
  context = "${path.module}/app"
}

output "size" {
  value = "${data.ecr_context.api.file_count} files, ${data.ecr_context.api.size_bytes} bytes"
}
