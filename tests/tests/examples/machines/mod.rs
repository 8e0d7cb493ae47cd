//! The service on virtual machines, run for real: user data from the applied launch template, cloud-init, systemd, Docker,
//! the login with the instance's role, and one version after another under load.

mod balancer;
mod cloud;
mod guest;
mod machine;
mod rollout;
mod single;

use std::time::Duration;

/// For what takes seconds, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(5);
