//! The Kubernetes API, as far as a rollout is followed and explained by it: reads of plain JSON, dry runs,
//! questions about permissions, and one change.
//!
//! A client of our own, since the HTTP client of the registries is in the program anyway. The `kube` crate would bring
//! another one (hyper, tower), and generated types of every kind, for a dozen fields that are looked at here.

mod client;
mod error;
mod path;
mod resource;

pub(crate) use client::{ActAs, Client};
pub(crate) use error::{Conflict, KubeError, Reason};
pub(crate) use path::{Collection, selector};
pub(crate) use resource::Resources;
