//! One file per verb, and what they share: the way into a cluster, and what comes before a release changes.

pub(crate) mod exec;
pub(crate) mod images;
pub(crate) mod kubeconfig;
pub(crate) mod recover;
mod release;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod version;
mod way;
