//! What our client pushes is read by others, and what others push is read by it: in Debian's registry, in MiniStack behind
//! the ECR front, and in the ECR emulator.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod content;
mod meet;
mod peers;
mod place;
