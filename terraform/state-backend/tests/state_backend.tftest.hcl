# Plans only: a bucket that must not be destroyed would outlive an apply.
mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  bucket = "shop-tfstate"
  states = ["shop"]
}

run "by_default" {
  command = plan

  # A state is versioned encrypted and private.
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
    condition     = !aws_s3_bucket.this.force_destroy && length(aws_s3_bucket_logging.this) == 0
    error_message = "states must not go with the bucket unless someone says so"
  }

  # Plain http is denied for the bucket and its objects.
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

  # Old versions stay for a while.
  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : [rule.status, one(rule.noncurrent_version_expiration).noncurrent_days, one(rule.noncurrent_version_expiration).newer_noncurrent_versions]] == [["Enabled", 90, 20]]
    error_message = "expected the newest 20, and the others for 90 days"
  }
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : one(rule.expiration).expired_object_delete_marker])
    error_message = "released locks leave their marks behind"
  }

  # The backend block can be pasted.
  assert {
    condition = output.backend == { shop = <<-EOT
      terraform {
        backend "s3" {
          bucket       = "shop-tfstate"
          key          = "shop/terraform.tfstate"
          region       = "eu-west-1"
          encrypt      = true
          use_lockfile = true
        }
      }
    EOT
    }
    error_message = "unexpected backend block: ${output.backend["shop"]}"
  }

  # Access is to one state and its lock.
  assert {
    condition = [for statement in jsondecode(output.access["shop"].write).Statement : [statement.Action, statement.Resource]] == [
      [["s3:ListBucket"], ["arn:aws:s3:::shop-tfstate"]],
      [["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::shop-tfstate/shop/terraform.tfstate"]],
      [["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], ["arn:aws:s3:::shop-tfstate/shop/terraform.tfstate.tflock"]],
    ]
    error_message = "unexpected policy: ${output.access["shop"].write}"
  }
  assert {
    condition = [for statement in jsondecode(output.access["shop"].read).Statement : [statement.Action, statement.Resource]] == [
      [["s3:ListBucket"], ["arn:aws:s3:::shop-tfstate"]],
      [["s3:GetObject"], ["arn:aws:s3:::shop-tfstate/shop/terraform.tfstate"]],
    ]
    error_message = "who plans writes nothing: ${output.access["shop"].read}"
  }
}

run "a_kms_key_is_used_and_named_in_the_backend_block" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0f3c"
    access_log  = { bucket = "shop-logs" }
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "the bucket must use the key that was given"
  }
  # The backend's own `encrypt` would otherwise choose AES256 over the bucket's key.
  assert {
    condition     = strcontains(output.backend["shop"], "\n    encrypt      = true\n    kms_key_id   = \"${var.kms_key_arn}\"\n    use_lockfile = true\n")
    error_message = "the key is missing in the backend block: ${output.backend["shop"]}"
  }
  assert {
    condition     = [for statement in jsondecode(output.access["shop"].write).Statement : statement.Action if contains(statement.Resource, var.kms_key_arn)] == [["kms:Decrypt", "kms:GenerateDataKey"]]
    error_message = "who writes the state needs the key"
  }
  assert {
    condition     = [for statement in jsondecode(output.access["shop"].read).Statement : statement.Action if contains(statement.Resource, var.kms_key_arn)] == [["kms:Decrypt"]]
    error_message = "who reads the state opens it and no more"
  }
  assert {
    condition     = [for log in aws_s3_bucket_logging.this : [log.target_bucket, log.target_prefix]] == [["shop-logs", "tfstate/"]]
    error_message = "reads and writes of the states must be logged where it was said"
  }
}
