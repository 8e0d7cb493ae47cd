//! The Terraform provider `ecr`.
fn main() {}
