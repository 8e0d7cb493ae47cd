//! The images of a chart: where they stand, which values say them, how they are pinned, whether all are.
//!
//! Pure, all but [`lock`], [`resolve`] and [`terraform`]: what Helm rendered goes in as text, what to set comes out as data.

pub(crate) mod candidates;
pub(crate) mod document;
pub(crate) mod form;
pub(crate) mod lock;
pub(crate) mod pins;
pub(crate) mod policy;
pub(crate) mod resolve;
pub(crate) mod rewrite;
pub(crate) mod table;
pub(crate) mod terraform;
pub(crate) mod uses;
pub(crate) mod values_path;
pub(crate) mod verify;
