//! Pushes, pulls and copies over a network that breaks, by schedules that seeds repeat: in the end everything is where
//! it belongs, or one error says why not.
//!
//! A failure names its seed; `FAULT_SEED=7 cargo test -p lab --test faults` has that one again.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod content;
mod pulls;
mod pusher;
mod pushes;
mod runs;
mod storm;
mod table;
mod tags;
mod world;
