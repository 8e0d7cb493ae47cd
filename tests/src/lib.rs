//! The lab: finds, installs, starts and stops the real parts that the end-to-end tests and the demo run on.
//!
//! Real Terraform, OpenTofu, Helm, Docker, containerd and Kubernetes; only AWS itself is a stand-in (MiniStack). The lab
//! knows nothing of our programs: it hands out paths, ports and an environment, and a test runs what it wants with them.
//!
//! Variables it reads: `EKS_DEPLOY_LAB_CACHE` (folder for all it keeps), `EKS_DEPLOY_LAB_PORT` (first of its ports),
//! `EKS_K3S_IMAGE` (node image to use instead of the public k3s or its own), `LAB_TF_MIRROR` (filesystem mirror with
//! hashicorp/aws), `DOCKER_HOST` (engine to use instead of its own), `CI` (`true`: install system packages without asking).

pub mod aws;
pub mod base;
pub mod bench;
pub mod buildkitd;
pub mod cache;
pub mod check;
pub mod cluster;
pub mod configuration;
pub mod demo;
pub mod docker;
pub mod ecr;
pub mod emulator;
pub mod fault;
pub mod front;
pub mod http;
pub mod lab;
pub mod ministack;
pub mod mounts;
pub mod node;
pub mod packages;
pub mod plugin_package;
pub mod process;
pub mod programs;
pub mod progress;
pub mod providers;
pub mod rootfs;
pub mod runtime;
pub mod state;
pub mod tool;
pub mod xtask;
