//! The lab: finds, installs, starts and stops the real parts that the end-to-end tests and the demo run on.
//!
//! Real Terraform, OpenTofu, Helm, Docker, containerd and Kubernetes; only AWS itself is a stand-in (MiniStack). The lab
//! knows nothing of our programs: it hands out paths, ports and an environment, and a test runs what it wants with them.

pub mod cache;
pub mod front;
pub mod progress;
pub mod xtask;
