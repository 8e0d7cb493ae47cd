//! The examples, applied: apply, a second plan that is empty, use, destroy.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as expected")]

mod fleet;
mod machines;
mod quickstart;
mod stack;
mod team;
