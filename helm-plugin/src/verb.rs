//! One file per verb.

pub(crate) mod token;
pub(crate) mod up;
mod way;
