//! The example provider of local files, driven by Terraform and OpenTofu.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say with which program"
)]

mod arrival;
mod documentation;
mod golden;
mod language;
mod life;
mod schema;
mod secret;
mod stage;
mod support;
mod tour;
mod trouble;
mod wire;
