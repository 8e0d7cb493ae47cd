//! The ECR API: signatures, quotas and rights, then one function for each action.

mod images;
mod layers;
mod lifecycle;
mod registry;
mod repositories;
mod scans;
mod sts;

use std::time::SystemTime;

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Request;
use http::request::Parts;
use serde_json::{Value, json};

pub use scans::Scan;

use super::Shared;
use super::clock::seconds;
use super::identity::Identity;
use super::refusal::Refusal;
use super::server::HangUp;
use super::store::{Registry, Repository};
use crate::ecr::images::ImageId;
use crate::ecr::{MAX_DOCUMENT, Scope, Signer, action, answer as words};

pub(super) async fn serve(shared: &Shared, request: Request<Body>) -> Result<Response, HangUp> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_DOCUMENT).await.map_err(|_| HangUp)?;
    let Some(action) = action(&parts.headers) else { return Ok(sts::answer(shared, &parts, &body)) };
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let repository = input["repositoryName"].as_str().map(str::to_owned);
    let entry = shared.ledger.open(format!("ecr:{action}"), repository);
    entry.received(body.len() as u64);
    let answer = signed(shared, &parts, &body, action, &input);
    Ok(entry.close(answer.map_or_else(|refusal| refusal.api(), |answer| words::api(&answer))))
}

/// What the holder of the keys gets.
fn signed(
    shared: &Shared,
    parts: &Parts,
    body: &Bytes,
    action: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    let signer = Signer::of(&parts.headers);
    let missing =
        || Refusal::signature("MissingAuthenticationTokenException", "Missing Authentication Token");
    let Signer { key, region } = signer.ok_or_else(missing)?;
    let identity = shared.state().identities.get(&key).cloned();
    let unknown = "The security token included in the request is invalid.";
    let identity = identity.ok_or_else(|| Refusal::signature("UnrecognizedClientException", unknown))?;
    identity.signed(parts, body, "ecr")?;
    shared.quotas.take(action, 1, shared.clock.elapsed())?;
    let account = input["registryId"].as_str().unwrap_or(identity.account()).to_owned();
    let scope = Scope { account, region };
    let resource = match input["repositoryName"].as_str() {
        Some(repository) => scope.repository_arn(repository),
        None => "*".to_owned(),
    };
    identity.may(&format!("ecr:{action}"), &resource)?;
    if action == "GetAuthorizationToken" {
        return Ok(token(shared, &identity, &scope));
    }
    answer(shared, &scope, action, input)
}

fn token(shared: &Shared, identity: &Identity, scope: &Scope) -> Value {
    let (_, (token, expires)) = shared.issue(&identity.keys.id);
    // The caller's own registry, whichever it means to reach.
    let own = Scope { account: identity.account().to_owned(), region: scope.region.clone() };
    let proxy = format!("https://{}", own.host());
    let data = json!({ "authorizationToken": token, "expiresAt": seconds(expires), "proxyEndpoint": proxy });
    json!({ "authorizationData": [data] })
}

/// What an action of the API sees.
struct Call<'a> {
    shared: &'a Shared,
    scope: &'a Scope,
    input: &'a Value,
    now: SystemTime,
}

/// What an action answers in a registry.
pub(super) fn answer(shared: &Shared, scope: &Scope, action: &str, input: &Value) -> Result<Value, Refusal> {
    let call = Call { shared, scope, input, now: shared.clock.now() };
    if let Some(answer) = layers::answer(&call, action) {
        return answer;
    }
    let mut state = shared.state();
    let registry = state.registry(scope)?;
    let unknown = || Err(Refusal::no_such_path());
    repositories::answer(&call, registry, action)
        .or_else(|| images::answer(&call, registry, action))
        .or_else(|| scans::answer(&call, registry, action))
        .or_else(|| lifecycle::answer(&call, registry, action))
        .or_else(|| registry::answer(&call, registry, action))
        .unwrap_or_else(unknown)
}

impl Call<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.input[name].as_str()
    }

    /// A text that has to be there.
    fn needs(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::parameter(name, "must not be null"))
    }

    fn list(&self, name: &str) -> &[Value] {
        self.input[name].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    fn repository<'r>(&self, registry: &'r mut Registry) -> Result<&'r mut Repository, Refusal> {
        registry.repository_mut(self.needs("repositoryName")?)
    }

    /// The digest of the one image that is asked about.
    fn image(&self, repository: &Repository) -> Result<String, Refusal> {
        let id: ImageId = serde_json::from_value(self.input["imageId"].clone()).unwrap_or_default();
        let found = images::of(repository, &id).map(|image| image.digest);
        found.ok_or_else(|| Refusal::no_image(&id.to_string(), repository))
    }

    /// An answer about the repository.
    fn about(&self, repository: &Repository, mut answer: Value) -> Value {
        answer["registryId"] = json!(self.scope.account);
        answer["repositoryName"] = json!(repository.name);
        answer
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    BASE64_STANDARD.decode(text).map_err(|_| Refusal::parameter("layerPartBlob", "must be base64"))
}
