//! Counts what is asked of registries, for the report of the work that asks.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use crate::transport::Kind;

/// How many requests went out, by what they are for. Those that were made again count again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Manifests and tags looked up or read.
    pub manifests_read: u32,
    /// Manifests sent, by digest or tag.
    pub manifests_put: u32,
    /// Blobs looked for, one by one or a hundred at a time.
    pub blobs_checked: u32,
    /// Blobs read, or parts of them.
    pub blobs_read: u32,
    /// Uploads begun, and mounts asked for.
    pub uploads_started: u32,
    /// Uploads sent.
    pub uploads: u32,
    /// Whatever else ECR's API was asked.
    pub others: u32,
    /// Of all these, how many were made again because the one before failed.
    pub again: u32,
}

impl Requests {
    /// All of them.
    pub fn total(&self) -> u32 {
        let Self {
            manifests_read,
            manifests_put,
            blobs_checked,
            blobs_read,
            uploads_started,
            uploads,
            others,
            again: _,
        } = self;
        manifests_read + manifests_put + blobs_checked + blobs_read + uploads_started + uploads + others
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.manifests_read += other.manifests_read;
        self.manifests_put += other.manifests_put;
        self.blobs_checked += other.blobs_checked;
        self.blobs_read += other.blobs_read;
        self.uploads_started += other.uploads_started;
        self.uploads += other.uploads;
        self.others += other.others;
        self.again += other.again;
    }
}

tokio::task_local! {
    static TALLY: Arc<Mutex<Requests>>;
}

/// Does the work, and tells what it asked of registries. What it leaves to other tasks is not counted.
pub(crate) async fn counted<T>(work: impl Future<Output = T>) -> (Requests, T) {
    let tally = Arc::<Mutex<Requests>>::default();
    let result = TALLY.scope(Arc::clone(&tally), work).await;
    let requests = *tally.lock().unwrap_or_else(PoisonError::into_inner);
    (requests, result)
}

/// One request goes out.
pub(crate) fn one(kind: Kind) {
    count(|tally| match kind {
        Kind::ReadManifest => &mut tally.manifests_read,
        Kind::PutManifest => &mut tally.manifests_put,
        Kind::CheckBlob => &mut tally.blobs_checked,
        Kind::ReadBlob => &mut tally.blobs_read,
        Kind::StartUpload => &mut tally.uploads_started,
        Kind::Upload => &mut tally.uploads,
        Kind::Api(_) => &mut tally.others,
    });
}

/// The next request is one that failed before.
pub(crate) fn again() {
    count(|tally| &mut tally.again);
}

fn count(what: impl FnOnce(&mut Requests) -> &mut u32) {
    _ = TALLY.try_with(|tally| *what(&mut tally.lock().unwrap_or_else(PoisonError::into_inner)) += 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_told_what_it_asked_and_not_what_others_did() {
        let work = async |times: u32| {
            for _ in 0..times {
                one(Kind::CheckBlob);
                tokio::task::yield_now().await;
            }
            one(Kind::PutManifest);
            again();
        };
        one(Kind::Upload); // nobody counts
        let ((three, ()), (five, ())) = tokio::join!(counted(work(3)), counted(work(5)));
        assert_eq!(three, Requests { blobs_checked: 3, manifests_put: 1, again: 1, ..Requests::default() });
        assert_eq!((five.blobs_checked, five.total()), (5, 6));
        let mut sum = three;
        sum.add(&five);
        assert_eq!((sum.total(), sum.again), (10, 2));
    }
}
