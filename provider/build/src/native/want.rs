//! What the working out of an image may lack: it is had, and the image worked out anew.

use ecr_registry::Platform;

use super::tars::Packed;
use crate::tree::File;

/// Why the working out of an image ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// Left to BuildKit, for this reason.
    Unclear(String),
    /// Something has to be had first.
    Wants(Want),
    /// No builder could do this step.
    Wrong { message: String, hint: Option<String> },
}

impl Stop {
    pub(super) fn unclear<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Unclear(why.into()))
    }

    pub(super) fn wrong<T>(message: impl Into<String>) -> Result<T, Self> {
        Err(Self::Wrong { message: message.into(), hint: None })
    }
}

/// An image by its name in the Dockerfile, for a platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) platform: Platform,
}

/// Something that is not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// An image's configuration and layers' names.
    Image(Named),
    /// Which files an image has.
    Files(Named),
    /// What is in a file of the context, if it is an archive.
    Archive(File),
    /// A small file's content.
    Content(Packed),
    /// What an address gives; it has to have this digest.
    Address { url: String, checksum: ecr_registry::Digest },
}
