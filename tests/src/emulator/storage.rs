//! Where layers are fetched from: a host of its own that knows signed URLs and no passwords, as S3 does.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use http::header::{ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use http::{HeaderValue, Method, Request, StatusCode};

use super::Shared;
use super::clock::seconds;
use super::server::HangUp;
use crate::ecr::Scope;

/// How long a URL is good for.
const LIFE: Duration = Duration::from_hours(1);

/// The URL of a layer.
pub(super) fn url(shared: &Shared, scope: &Scope, repository: &str, digest: &str) -> String {
    let path =
        format!("/prod-{}-starport-layer-bucket/{}/{repository}/{digest}", scope.region, scope.account);
    let expires = seconds(shared.clock.now() + LIFE);
    let signature = shared.sign(&format!("{path} {expires}"));
    format!(
        "http://{}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={expires}&X-Amz-Signature={signature}",
        shared.storage_seen_at.get().unwrap_or(&shared.storage)
    )
}

pub(super) fn serve(shared: &Shared, request: &Request<Body>) -> Result<Response, HangUp> {
    let entry = shared.ledger.open(format!("{} storage", request.method()), None);
    let answer = answer(shared, request);
    answer.map(|answer| entry.close(answer)).map_err(|error| {
        tracing::error!("the emulator cannot read a blob: {error}");
        HangUp
    })
}

fn answer(shared: &Shared, request: &Request<Body>) -> std::io::Result<Response> {
    if request.headers().contains_key(AUTHORIZATION) {
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                       string parameter or the Authorization header should be specified";
        return Ok(error(400, "InvalidArgument", message));
    }
    let path = request.uri().path();
    let query = Query::<HashMap<String, String>>::try_from_uri(request.uri())
        .map_or_else(|_| HashMap::new(), |query| query.0);
    let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let expires = given("X-Amz-Expires");
    // A URL that was signed for GET is none for HEAD.
    if *request.method() != Method::GET
        || shared.sign(&format!("{path} {expires}")) != given("X-Amz-Signature")
    {
        return Ok(error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match"));
    }
    if expires.parse().unwrap_or(0) < seconds(shared.clock.now()) {
        return Ok(error(403, "AccessDenied", "Request has expired"));
    }
    let Some(blob) = find(shared, path) else {
        return Ok(error(404, "NoSuchKey", "The specified key does not exist."));
    };
    let asked = request.headers().get(RANGE).and_then(|value| value.to_str().ok());
    let Some(range) = range(asked, blob.size) else {
        return Ok(error(416, "InvalidRange", "The requested range is not satisfiable"));
    };
    let Some(body) = blob.body(range.clone())? else {
        return Ok(error(404, "NoSuchKey", "This emulator keeps no content."));
    };
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let digest = path.rsplit(':').next().unwrap_or_default();
    if let Ok(tag) = format!("\"{digest:.32}\"").parse() {
        headers.insert(ETAG, tag);
    }
    if asked.is_some() {
        let text = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), blob.size);
        if let Ok(text) = text.parse() {
            headers.insert(CONTENT_RANGE, text);
        }
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(answer)
}

/// The blob of `/bucket/account/repository/digest`.
fn find(shared: &Shared, path: &str) -> Option<Arc<super::store::blob::Blob>> {
    let (bucket, rest) = path.strip_prefix('/')?.split_once('/')?;
    let (account, rest) = rest.split_once('/')?;
    let (repository, digest) = rest.rsplit_once('/')?;
    let region = bucket.strip_prefix("prod-")?.strip_suffix("-starport-layer-bucket")?;
    let scope = Scope { account: account.to_owned(), region: region.to_owned() };
    let state = shared.state();
    state.registries.get(&scope)?.repositories.get(repository)?.blobs.get(digest).cloned()
}

/// The bytes that a `Range` of one part means; all without one. `None` where there are no such bytes.
fn range(header: Option<&str>, size: u64) -> Option<Range<u64>> {
    let Some((first, last)) = header.and_then(|text| text.strip_prefix("bytes=")?.split_once('-')) else {
        return Some(0..size);
    };
    let range = if first.is_empty() {
        size.saturating_sub(last.parse().ok()?)..size
    } else {
        let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
        first.parse().ok()?..last.saturating_add(1).min(size)
    };
    (range.start < range.end).then_some(range)
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let check = |header: Option<&str>, expected: Option<Range<u64>>| {
            assert_eq!(range(header, 10), expected, "{header:?}");
        };
        check(None, Some(0..10));
        check(Some("bytes=0-3"), Some(0..4));
        check(Some("bytes=5-"), Some(5..10));
        check(Some("bytes=5-99"), Some(5..10));
        check(Some("bytes=-3"), Some(7..10));
        check(Some("bytes=10-"), None);
        check(Some("bytes=4-3"), None);
    }
}
