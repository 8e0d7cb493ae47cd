//! The infrastructure's modules on MiniStack with policies enforced: applied, planned again, destroyed; and what the roles
//! that they make may do, shown by running our programs under them.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod applied;
mod roles;
mod session;
mod stack;
mod state;
