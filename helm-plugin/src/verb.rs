//! One file per verb, and what they share: the way into a cluster.

pub(crate) mod exec;
pub(crate) mod kubeconfig;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod version;
mod way;
