//! The ECR emulator, asked by AWS's SDK and by plain HTTP.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod accounts;
mod api;
mod counts;
mod ours;
mod quirks;
mod settings;
mod stage;
