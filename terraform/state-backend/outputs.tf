output "bucket" {
  description = "Name of the bucket, for `-backend-config=bucket=…`."
  # Handed out when the bucket is ready to hold a state, not before.
  value      = aws_s3_bucket.this.bucket
  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_policy.this]
}

output "arn" {
  description = "ARN of the bucket, for the policy of those who may read and write the state."
  value       = aws_s3_bucket.this.arn
}

output "backend" {
  description = "The backend block for a configuration that keeps its state here; give every configuration its own key."
  value       = <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.this.bucket}"
        key          = "NAME/terraform.tfstate"
        region       = "${aws_s3_bucket.this.region}"
        encrypt      = true%{if var.kms_key_arn != null}
        kms_key_id   = "${var.kms_key_arn}"%{endif}
        use_lockfile = true
      }
    }
  EOT
}
