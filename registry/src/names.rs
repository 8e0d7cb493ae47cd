//! What people and programs call images: hosts, repositories, tags, digests, references, platforms.
//!
//! Every name is parsed once, at the edge, and is well formed from then on: `Display` gives back a text that
//! parses to the same value, and serde carries it as that text. Nothing here knows a network.

mod digest;
mod ecr_host;
mod host;
mod platform;
mod problem;
mod reference;
mod repository;
mod tag;

pub use digest::{Digest, Digester};
pub use ecr_host::{EcrHost, Partition};
pub use host::Host;
pub use platform::Platform;
pub use problem::{NameError, Noun, Problem};
pub use reference::{Reference, Version};
pub use repository::Repository;
pub use tag::Tag;

/// Carries a name through serde as its text.
macro_rules! as_text {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

as_text!(Host, Repository, Tag, Digest, Reference, Platform, Version);
