//! MiniStack behind the front: requests passed on as they came, and questions of our own asked as the account's root.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::ecr::{self, MAX_DOCUMENT, Scope};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Long, since MiniStack answers an upload only after its last byte.
const ANSWER_LIMIT: Duration = Duration::from_mins(10);
/// The front stands where AWS ends TLS. Without its word a bucket policy that denies plain HTTP denies everyone.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// MiniStack's gateway.
pub(super) struct MiniStack {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl MiniStack {
    pub(super) fn at(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_LIMIT));
        // No kept connections: MiniStack closes idle ones, and a request caught by that could not be sent again.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { address, client }
    }

    /// Sends the request as it is: path, query, headers and `Host`, so that its signature still holds.
    pub(super) async fn forward(&self, request: Request<Body>) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.address).parse::<Uri>()?;
        parts.version = Version::HTTP_11;
        for name in [CONNECTION, TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        parts.headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
        let sent = self.client.request(Request::from_parts(parts, body));
        let answer = tokio::time::timeout(ANSWER_LIMIT, sent)
            .await
            .with_context(|| format!("MiniStack at {} did not answer", self.address))?
            .with_context(|| format!("cannot ask MiniStack at {}", self.address))?;
        let mut answer = answer.map(Body::new);
        for name in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(name);
        }
        Ok(answer)
    }

    /// Calls the ECR API as root.
    pub(super) async fn ecr(&self, scope: &Scope, action: &str, input: &Value) -> Result<Value> {
        let request = Request::post("/")
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, as_root(&scope.account, &scope.region, "ecr"))
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header(TARGET, format!("{}{action}", ecr::TARGET))
            .body(Body::from(input.to_string()))?;
        let body = self.document(request, &format!("ecr:{action}")).await?;
        serde_json::from_slice(&body).with_context(|| format!("ecr:{action} answered no JSON"))
    }

    /// Calls IAM or STS as root and returns its XML.
    pub(super) async fn query(&self, service: &str, account: &str, form: &[(&str, &str)]) -> Result<String> {
        let body = form.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        let request = Request::post("/")
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, as_root(account, "us-east-1", service))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.collect::<Vec<_>>().join("&")))?;
        let action = form.first().map_or("", |(_, action)| *action);
        let body = self.document(request, &format!("{service}:{action}")).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Asks the registry, which wants no password here.
    pub(super) async fn registry(&self, scope: &Scope, method: Method, path: &str) -> Result<Response> {
        let request = Request::builder().method(method).uri(path).header(HOST, scope.host());
        self.forward(request.body(Body::empty())?).await
    }

    /// Puts a manifest into the registry by its digest, without a tag.
    pub(super) async fn put_manifest(
        &self,
        scope: &Scope,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<()> {
        let request = Request::put(path).header(HOST, scope.host()).header(CONTENT_TYPE, kind);
        self.document(request.body(Body::from(body))?, &format!("PUT {path}")).await.map(drop)
    }

    async fn document(&self, request: Request<Body>, what: &str) -> Result<Bytes> {
        let (parts, body) = self.forward(request).await?.into_parts();
        let body = axum::body::to_bytes(body, MAX_DOCUMENT).await?;
        let said = String::from_utf8_lossy(&body[..body.len().min(500)]);
        ensure!(parts.status.is_success(), "MiniStack answered {what} with {}: {said}", parts.status);
        Ok(body)
    }
}

/// Whether the answer says that a thing is there.
pub(super) fn is_there(answer: &Response) -> bool {
    answer.status() == StatusCode::OK
}

/// MiniStack takes twelve digits as the root key of that account, and checks no signature of a root key.
fn as_root(account: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// Percent-encodes all but letters and digits, which is right in any part of a form.
fn encode(value: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric();
    value
        .bytes()
        .map(|byte| if keep(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_value_is_encoded() {
        assert_eq!(encode("ecr:PutImage"), "ecr%3APutImage");
        assert_eq!(encode("a/ü"), "a%2F%C3%BC");
    }
}
