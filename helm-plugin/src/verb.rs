//! One file per verb, and what they share: the way into a cluster, and what comes before a release changes.

mod change;
pub(crate) mod doctor;
pub(crate) mod exec;
mod existing;
pub(crate) mod images;
pub(crate) mod kubeconfig;
pub(crate) mod plan;
pub(crate) mod post_render;
pub(crate) mod recover;
pub(crate) mod reference;
mod release;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod version;
mod wait;
mod way;
