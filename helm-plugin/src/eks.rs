//! Amazon EKS: who we are, which cluster, and the way in.

pub(crate) mod access;
pub(crate) mod cluster;
pub(crate) mod endpoint;
pub(crate) mod exec_credential;
pub(crate) mod identity;
pub(crate) mod kubeconfig;
pub(crate) mod signer;
pub(crate) mod token;
pub(crate) mod token_socket;
