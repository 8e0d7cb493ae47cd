//! The user's own Helm: where it is, what it takes, how it is run, what it left behind.

pub(crate) mod arguments;
pub(crate) mod arm;
pub(crate) mod binary;
pub(crate) mod chart;
pub(crate) mod child;
pub(crate) mod dry_run;
pub(crate) mod duration;
pub(crate) mod explain;
pub(crate) mod flags;
pub(crate) mod outcome;
pub(crate) mod renderer;
pub(crate) mod session;
pub(crate) mod stored;
