mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn    = "arn:aws:s3:::shop-tfstate"
      region = "eu-west-1"
    }
  }
}

variables {
  bucket = "shop-tfstate"
}

run "a_state_is_versioned_encrypted_and_private" {
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "without versions a broken state cannot be taken back"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "no key given: S3's own encryption is expected"
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "every way to make the bucket public must be closed"
  }
  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "states must not go with the bucket unless someone says so"
  }
}

run "plain_http_is_denied_for_the_bucket_and_its_objects" {
  assert {
    condition = jsondecode(aws_s3_bucket_policy.this.policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::shop-tfstate", "arn:aws:s3:::shop-tfstate/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "the policy must deny everything that comes without TLS, and only that"
  }
}

run "the_backend_block_can_be_pasted" {
  assert {
    condition     = output.backend == <<-EOT
      terraform {
        backend "s3" {
          bucket       = "shop-tfstate"
          key          = "NAME/terraform.tfstate"
          region       = "eu-west-1"
          encrypt      = true
          use_lockfile = true
        }
      }
    EOT
    error_message = "unexpected backend block: ${output.backend}"
  }
}

run "a_kms_key_is_used_and_named_in_the_backend_block" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0f3c"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "the bucket must use the key that was given"
  }
  # The backend's own `encrypt` would otherwise choose AES256 over the bucket's key.
  assert {
    condition     = strcontains(output.backend, "\n    encrypt      = true\n    kms_key_id   = \"${var.kms_key_arn}\"\n    use_lockfile = true\n")
    error_message = "the key is missing in the backend block: ${output.backend}"
  }
}
