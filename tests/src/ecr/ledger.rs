//! What was asked of a front or an emulator, for tests that count requests and bytes.
//!
//! `GET /_front/requests?since=NUMBER&repository=NAME` answers the entries after that number, oldest first, as JSON.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use anyhow::Result;
use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::Query;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use serde::{Deserialize, Serialize};

use crate::http;

/// The oldest entries go beyond this, so that a lab that stays up for days does not grow.
const MAX_ENTRIES: usize = 100_000;

/// Where a server shows its ledger.
pub(crate) const PATH: &str = "/_front/requests";

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up from 1 in the order of arrival.
    pub number: u64,
    /// What it was: `PUT manifest`, `HEAD blob`, `POST upload`, …, `ecr:BatchGetImage`, …, or `GET other`.
    pub class: String,
    /// The repository it was about.
    pub repository: Option<String>,
    /// The answer's status; 0 until there is one.
    pub status: u16,
    /// Bytes of the request's body that arrived.
    pub received: u64,
    /// Bytes of the answer's body that left.
    pub sent: u64,
}

impl Entry {
    /// The ECR action that it was; those of the registry protocol have one each.
    ///
    /// Source: the permissions that each request needs, in ECR's documentation of a push's policy.
    pub fn action(&self) -> Option<&str> {
        Some(match self.class.as_str() {
            "HEAD manifest" | "GET manifest" => "BatchGetImage",
            "PUT manifest" => "PutImage",
            "DELETE manifest" => "BatchDeleteImage",
            "HEAD blob" => "BatchCheckLayerAvailability",
            "GET blob" => "GetDownloadUrlForLayer",
            "POST upload" => "InitiateLayerUpload",
            "PATCH upload" => "UploadLayerPart",
            "PUT upload" => "CompleteLayerUpload",
            "GET tags" => "ListImages",
            "GET referrers" => "ListImageReferrers",
            other => other.strip_prefix("ecr:")?,
        })
    }
}

/// Asks a front for the entries after a number, of one repository if one is named. For tests.
pub fn requests(front: SocketAddr, since: u64, repository: Option<&str>) -> Result<Vec<Entry>> {
    let mut path = format!("{PATH}?since={since}");
    if let Some(repository) = repository {
        path.push_str("&repository=");
        path.push_str(repository);
    }
    let host = [("host".to_owned(), front.to_string())];
    Ok(serde_json::from_str(&http::exchange(front, "GET", &path, &host, b"")?.body)?)
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    opened: u64,
    kept: VecDeque<Arc<Line>>,
}

/// An entry that is still being written.
#[derive(Debug)]
pub(crate) struct Line {
    number: u64,
    class: String,
    repository: Option<String>,
    status: AtomicU16,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Ledger {
    /// Writes a request down as it arrives.
    pub(crate) fn open(&self, class: String, repository: Option<String>) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.opened += 1;
        let (status, received, sent) = (AtomicU16::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let line = Arc::new(Line { number: lines.opened, class, repository, status, received, sent });
        if lines.kept.len() == MAX_ENTRIES {
            lines.kept.pop_front();
        }
        lines.kept.push_back(Arc::clone(&line));
        line
    }

    /// The entries after a number, oldest first.
    pub(crate) fn since(&self, number: u64, repository: Option<&str>) -> Vec<Entry> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |line: &&Arc<Line>| {
            line.number > number && (repository.is_none() || line.repository.as_deref() == repository)
        };
        lines.kept.iter().filter(wanted).map(|line| line.entry()).collect()
    }
}

impl Line {
    /// Counts bytes of the request's body.
    pub(crate) fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The request's body, counted as it is read.
    pub(crate) fn count_received(self: &Arc<Self>, body: Body) -> Body {
        let line = Arc::clone(self);
        counted(body, move |bytes| line.received(bytes))
    }

    /// The answer, its status written down and its body counted as it is read.
    pub(crate) fn close(self: &Arc<Self>, answer: Response) -> Response {
        self.status.store(answer.status().as_u16(), Ordering::Relaxed);
        let line = Arc::clone(self);
        answer.map(|body| counted(body, move |bytes| _ = line.sent.fetch_add(bytes, Ordering::Relaxed)))
    }

    fn entry(&self) -> Entry {
        Entry {
            number: self.number,
            class: self.class.clone(),
            repository: self.repository.clone(),
            status: self.status.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
        }
    }
}

/// A body that tells how many bytes of it passed. It keeps its length, if that is known.
struct Counted<F> {
    body: Body,
    count: F,
}

fn counted(body: Body, count: impl FnMut(u64) + Unpin + Send + 'static) -> Body {
    Body::new(Counted { body, count })
}

impl<F: FnMut(u64) + Unpin> HttpBody for Counted<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
        (this.count)(data.map_or(0, |data| data.len() as u64));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    since: u64,
    repository: Option<String>,
}

impl Ledger {
    /// The answer to a GET of [`PATH`].
    pub(crate) fn page(&self, Query(wanted): &Query<Wanted>) -> Json<Vec<Entry>> {
        Json(self.since(wanted.since, wanted.repository.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_counted_as_they_pass() {
        let ledger = Ledger::default();
        let line = ledger.open("PUT upload".into(), Some("shop/web".into()));
        ledger.open("GET other".into(), None);
        let body = line.count_received(Body::from("layer"));
        assert_eq!(ledger.since(0, None)[0].received, 0);
        axum::body::to_bytes(body, 100).await.unwrap();
        line.close(Response::new(Body::empty()));
        let expected = Entry {
            number: 1,
            class: "PUT upload".into(),
            repository: Some("shop/web".into()),
            status: 200,
            received: 5,
            sent: 0,
        };
        assert_eq!(ledger.since(0, Some("shop/web")), [expected]);
        assert_eq!(ledger.since(0, None).len(), 2);
        assert_eq!(ledger.since(1, None)[0].class, "GET other");
    }
}
