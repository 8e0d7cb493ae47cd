//! The messages and services as they travel, generated from `proto/*.proto`. Knows no values.
//!
//! Public for tests that speak to a provider without Terraform; providers do not need it.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    reason = "generated; the definitions carry the comments"
)]

/// `tfplugin6`: Terraform's own protocol.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");

    /// The one call whose messages are not called as it is.
    pub use validate_state_store as validate_state_store_config;
}

/// `plugin`: the services of hashicorp/go-plugin.
pub mod go_plugin {
    tonic::include_proto!("plugin");
}
