//! What a push, a copy or a pull tells while it runs.

use std::time::Duration;

use crate::{
    names::{Digest, Tag},
    registry::TagOutcome,
};

/// One thing that happened.
///
/// Of each blob: any number of `Waiting`, `Retrying`, `Started`, `Resumed` and `Sent`, then `Done` unless the push
/// fails; of each blob that is pulled `Fetching` and `Received`, then `Fetched`. Of each manifest and each tag one event, after all that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Nothing is done for a blob until someone else is done with it.
    Waiting {
        /// The blob.
        digest: Digest,
        /// For whom.
        whom: Whom,
    },
    /// An attempt to bring a blob failed, and there will be another.
    Retrying {
        /// The blob.
        digest: Digest,
        /// How long from now.
        wait: Duration,
        /// Why the attempt failed, as the error says it.
        reason: String,
    },
    /// Sending begins, or begins again from the start after a failure.
    Started {
        /// The blob.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// Sending goes on after a failure with what the registry does not have yet.
    Resumed {
        /// The blob.
        digest: Digest,
        /// How many bytes the registry has.
        at: u64,
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
    /// The registry has the manifest or index.
    Manifest {
        /// The manifest.
        digest: Digest,
        /// How it came there.
        how: How,
    },
    /// A blob begins to be fetched to this machine, or begins again.
    Fetching {
        /// The blob.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
        /// How many of them are here from an earlier attempt.
        here: u64,
    },
    /// More bytes of a blob came in.
    Received {
        /// The blob.
        digest: Digest,
        /// How many bytes, since the last event of this blob.
        bytes: u64,
    },
    /// A blob is on this machine, whole and verified.
    Fetched {
        /// The blob.
        digest: Digest,
    },
    /// A tag points at what was pushed.
    Tagged {
        /// The tag.
        tag: Tag,
        /// Whether it did before.
        outcome: TagOutcome,
    },
}

/// Whom a blob waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Another push of this process, which brings it to this registry.
    AnotherPush,
    /// Another process of this user on this machine, which brings it to this repository.
    AnotherProcess,
}

/// How something came to be where it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was sent.
    Sent,
    /// It was taken over from another repository of the registry.
    Mounted,
    /// It was there.
    AlreadyThere,
}

/// Listens to a push, a copy or a pull. Called often and from several tasks: it has to be quick.
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
