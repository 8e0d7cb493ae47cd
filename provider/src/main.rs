//! The Terraform provider `ecr`: builds service images and pushes them to Amazon ECR.
//!
//! Terraform and OpenTofu start this program and speak to it by the plugin protocol; see the crate
//! `tfplugin-rs`. How images are built is the business of `image-build`, and how registries are
//! spoken to that of `ecr-registry`; here is what a plan says and in what order things are done.

// Futures nest from the plugin protocol down to AWS's client: deeper than the compiler's default.
#![recursion_limit = "256"]

mod access;
mod argument;
mod context_data;
mod form;
mod functions;
mod home;
mod image;
mod image_copy;
mod image_data;
mod images_data;
mod moment;
#[cfg(test)]
mod offline;
mod provider;
mod prune;
mod report;
mod scan;
mod scan_data;
mod scan_gate;
mod tag;
mod tag_list;
mod tag_pattern;

use std::process::ExitCode;

/// Where the provider is found in the registries of Terraform and OpenTofu.
const ADDRESS: &str = "registry.terraform.io/eks-deploy/ecr";

#[tokio::main]
async fn main() -> ExitCode {
    tfplugin_rs::serve(provider::EcrProvider::default(), ADDRESS).await
}
