# Who may read a state, and who may write it: policies for roles, made of nothing but that state and its lock.
locals {
  keys = { for name in var.states : name => "${name}/terraform.tfstate" }

  # Names alone. Without it S3 calls a state that is not there yet forbidden, and init cannot look for workspaces.
  list = {
    Sid      = "FindState"
    Effect   = "Allow"
    Action   = ["s3:ListBucket"]
    Resource = [local.arn]
  }

  state_read = { for name, key in local.keys : name => {
    Sid      = "ReadState"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = ["${local.arn}/${key}"]
  } }

  state_write = { for name, key in local.keys : name => {
    Sid      = "WriteState"
    Effect   = "Allow"
    Action   = ["s3:GetObject", "s3:PutObject"]
    Resource = ["${local.arn}/${key}"]
  } }

  # A lock is put under If-None-Match, read by who finds it held, and deleted.
  lock = { for name, key in local.keys : name => {
    Sid      = "LockState"
    Effect   = "Allow"
    Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    Resource = ["${local.arn}/${key}.tflock"]
  } }

  key_read  = var.kms_key_arn == null ? [] : [{ Sid = "OpenState", Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kms_key_arn] }]
  key_write = var.kms_key_arn == null ? [] : [{ Sid = "SealState", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.kms_key_arn] }]
}
