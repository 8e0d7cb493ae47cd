//! Terraform's plugin protocol for providers written in Rust.
