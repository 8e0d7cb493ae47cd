output "bucket" {
  description = "Name of the bucket, for `-backend-config=bucket=…`."
  # Handed out when the bucket is ready to hold a state, not before.
  value      = aws_s3_bucket.this.bucket
  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_policy.this]
}

output "arn" {
  description = "ARN of the bucket, for policies of your own."
  value       = local.arn
}

output "backend" {
  description = "The backend block of each state, by its name, ready to write into a file."
  value = { for name, key in local.keys : name => <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.this.bucket}"
        key          = "${key}"
        region       = "${data.aws_region.current.name}"
        encrypt      = true%{if var.kms_key_arn != null}
        kms_key_id   = "${var.kms_key_arn}"%{endif}
        use_lockfile = true
      }
    }
  EOT
  }
}

output "access" {
  description = "Two IAM policies (JSON) for each state, by its name: `read` for who plans with `-lock=false`, `write` for who applies."
  value = { for name in var.states : name => {
    read = jsonencode({
      Version   = "2012-10-17"
      Statement = concat([local.list, local.state_read[name]], local.key_read)
    })
    write = jsonencode({
      Version   = "2012-10-17"
      Statement = concat([local.list, local.state_write[name], local.lock[name]], local.key_write)
    })
  } }
}
