//! A provider process from its start to its end, seen from where Terraform stands.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod call;
mod ending;
mod handshake;
mod host;
mod load;
mod reattach;
mod strangers;
mod streams;
