//! What a push tells while it runs.

use crate::names::Digest;

/// One thing that happened to a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Sending begins, or begins again from the start after a failure.
    Started {
        /// The blob.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// More bytes went out.
    Sent {
        /// The blob.
        digest: Digest,
        /// How many bytes, since the last event of this blob.
        bytes: u64,
    },
    /// The registry has the blob.
    Done {
        /// The blob.
        digest: Digest,
        /// How it came there.
        how: How,
    },
}

/// How a blob came to be where it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was sent.
    Sent,
    /// It was taken over from another repository of the registry.
    Mounted,
    /// It was there.
    AlreadyThere,
}

/// Listens to a push. Called often and from several tasks: it has to be quick.
pub trait Progress: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event);
}

/// Nobody listens.
impl Progress for () {
    fn event(&self, _event: Event) {}
}

impl<F: Fn(Event) + Send + Sync> Progress for F {
    fn event(&self, event: Event) {
        self(event);
    }
}
