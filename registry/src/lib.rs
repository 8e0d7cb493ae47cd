//! Names, digests, credentials, push and pull for Amazon ECR and OCI registries.
