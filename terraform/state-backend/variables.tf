variable "bucket" {
  description = "Name of the bucket, unique in all of AWS. It cannot be changed later."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits and dashes, and starts and ends with a letter or digit. Dots are legal in S3 and refused here: they break TLS by host name."
  }

  validation {
    condition     = !can(regex("^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$", var.bucket))
    error_message = "S3 keeps this prefix or suffix for itself: choose another name."
  }
}

variable "states" {
  description = "Names of the states kept here. Each has the key `<name>/terraform.tfstate`, and its block and policies in the outputs."
  type        = set(string)
  default     = ["bootstrap"]

  validation {
    condition     = alltrue([for name in var.states : can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", name))])
    error_message = "A state's name has letters, digits, dashes and underscores, and single slashes between them: it becomes a key, and `*` in it would be a wildcard in a policy."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the states. Default: S3's own key (AES256)."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key (arn:aws:kms:<region>:<account>:key/<id>), not an alias: an alias can be moved to a key that does not open the old states."
  }
}

variable "old_versions" {
  description = <<-EOT
    Which versions of a state stay after it was written again.
    - `newest`: so many stay, however old.
    - `days`: those beyond are deleted after so many days.
  EOT
  type = object({
    newest = optional(number, 20)
    days   = optional(number, 90)
  })
  default = {}

  validation {
    condition     = var.old_versions.newest >= 1 && var.old_versions.newest <= 100 && var.old_versions.days >= 1
    error_message = "old_versions keeps the newest 1 to 100 (S3's limit) and the others for at least a day: without an old version a broken state cannot be taken back."
  }
}

variable "access_log" {
  description = "Where S3 writes who reads and writes the states: a bucket that lets `logging.s3.amazonaws.com` write, and a prefix. Default: nowhere."
  type = object({
    bucket = string
    prefix = optional(string, "tfstate/")
  })
  default = null

  validation {
    condition     = var.access_log == null ? true : var.access_log.bucket != var.bucket
    error_message = "A bucket that logs into itself logs its own log writes: name another one."
  }
}

variable "force_destroy" {
  description = "Let the bucket be deleted together with every state in it. `prevent_destroy` still stands before it: see below."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
}
