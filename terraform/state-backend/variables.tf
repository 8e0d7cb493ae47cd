variable "bucket" {
  description = "Name of the bucket, unique in all of AWS."
  type        = string
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the state. Default: S3's own key (AES256)."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the bucket together with every state in it."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
}
