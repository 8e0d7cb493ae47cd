//! What holds for all types and values, and for everything that may come over the wire.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;
mod hostile;
mod plan;
mod schemas;
mod travel;
