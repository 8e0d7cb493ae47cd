//! The Helm plugin on real parts: real Helm 3 and 4, a real cluster whose webhook checks real tokens, images in ECR.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod cancel;
mod corpus;
mod deploy;
mod install;
mod look;
mod mistakes;
mod plan;
mod post_render;
mod recover;
mod refuse;
mod remote;
mod resolve;
mod roles;
mod rollout;
mod stage;
