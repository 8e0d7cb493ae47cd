//! The Terraform provider `ecr`.

mod image;
mod report;

fn main() {}
