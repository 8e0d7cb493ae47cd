use std::time::Duration;

use crate::{
    names::{Digest, Tag},
    progress::How,
    registry::TagOutcome,
    requests::Requests,
};

/// What a push did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// The blobs that were sent.
    pub sent: Vec<Digest>,
    /// The blobs that were taken over from another repository of the registry.
    pub mounted: Vec<Digest>,
    /// The blobs that were there.
    pub already_there: Vec<Digest>,
    /// Whether the manifest was there, and with it all that it names.
    pub manifest_already_there: bool,
    /// The bytes of the blobs that were sent.
    pub bytes_sent: u64,
    /// What was asked of the registry.
    pub requests: Requests,
    /// What became of each tag.
    pub tags: Vec<(Tag, TagOutcome)>,
    /// How long it took.
    pub took: Duration,
}

impl PushReport {
    /// What two pushes did, one after the other.
    pub(crate) fn add(&mut self, other: Self) {
        self.sent.extend(other.sent);
        self.mounted.extend(other.mounted);
        self.already_there.extend(other.already_there);
        self.manifest_already_there &= other.manifest_already_there;
        self.bytes_sent += other.bytes_sent;
        self.requests.add(&other.requests);
        self.tags.extend(other.tags);
        self.took += other.took;
        for list in [&mut self.sent, &mut self.mounted, &mut self.already_there] {
            list.sort_unstable();
            list.dedup();
        }
        // What was brought for one is there for the next.
        let brought = |digest: &Digest| {
            self.sent.binary_search(digest).is_ok() || self.mounted.binary_search(digest).is_ok()
        };
        self.already_there.retain(|digest| !brought(digest));
    }

    /// Of one blob.
    pub(super) fn of_blob(digest: Digest, size: u64, how: How) -> Self {
        let mut report = Self::default();
        match how {
            How::Sent => {
                report.sent.push(digest);
                report.bytes_sent = size;
            }
            How::Mounted => report.mounted.push(digest),
            How::AlreadyThere => report.already_there.push(digest),
        }
        report
    }
}
