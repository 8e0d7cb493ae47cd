//! A rollout while Helm waits for it: what is ready, what stands in the way, and the evidence of that, which a rollback
//! would take away.
//!
//! Observing asks the API server; states, causes and the ledger are plain values made from its answers. What becomes
//! of the release is not decided here, with one exception: that nothing can help any more.

mod cause;
mod follow;
mod ledger;
mod observe;
mod obstacles;
mod pod;
mod state;
mod subject;

pub(crate) use cause::causes;
pub(crate) use follow::{Followed, Follower, Moment};
pub(crate) use observe::look_at_all;
pub(crate) use obstacles::{FirstCause, Obstacles};
pub(crate) use state::State;
pub(crate) use subject::{Operation, Subject, subjects};
