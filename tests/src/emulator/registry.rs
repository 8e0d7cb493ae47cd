//! `/v2`: the registry protocol as ECR speaks it.

mod blobs;
mod manifests;

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::Response;
use futures::StreamExt;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, StatusCode};

use super::Shared;
use super::identity::Identity;
use super::refusal::{Refusal, Stop};
use super::server::HangUp;
use super::uploads::PART;
use crate::ecr::password::Verdict;
use crate::ecr::route::{Route, Thing};
use crate::ecr::{Scope, answer};

/// One request that may be answered.
struct Call<'a> {
    shared: &'a Shared,
    scope: &'a Scope,
    repository: &'a str,
    /// The client's own name for us.
    host: &'a str,
}

pub(super) async fn serve(
    shared: &Shared,
    scope: &Scope,
    here: SocketAddr,
    request: Request<Body>,
) -> Result<Response, HangUp> {
    let Some(route) = Route::of(request.uri()) else { return Ok(Refusal::no_such_path().registry()) };
    let repository = Some(route.repository.clone()).filter(|name| !name.is_empty());
    let entry = shared.ledger.open(format!("{} {}", request.method(), route.thing.noun()), repository);
    let request = request.map(|body| entry.count_received(body));
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.map_or_else(|| here.to_string(), str::to_owned);
    let answer = match admit(shared, scope, &route, &request) {
        Ok(()) => {
            let call = Call { shared, scope, repository: &route.repository, host: &host };
            call.answer(&route.thing, request).await
        }
        Err(stop) => {
            drain(request.into_body()).await;
            Err(stop)
        }
    };
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(Stop::Refused(refusal)) => refusal.registry(),
        Err(Stop::Stranger) => answer::challenge(&host),
        Err(Stop::HangUp) => return Err(HangUp),
    };
    let version = HeaderValue::from_static("registry/2.0");
    answer.headers_mut().insert("docker-distribution-api-version", version);
    if let Some(wait) =
        shared.options.retry_after.filter(|_| answer.status() == StatusCode::TOO_MANY_REQUESTS)
    {
        answer.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
    }
    Ok(entry.close(answer))
}

/// Password, quota, rights, in this order.
fn admit(shared: &Shared, scope: &Scope, route: &Route, request: &Request<Body>) -> Result<(), Stop> {
    let identity = if shared.options.open {
        shared.options.identities[0].clone()
    } else {
        match shared.passwords.check(request.headers().get(AUTHORIZATION), shared.clock.now()) {
            Verdict::Valid(grant) => shared.state().identities[&grant.key].clone(),
            Verdict::Expired => return Err(Refusal::expired().into()),
            Verdict::Unknown => return Err(Stop::Stranger),
        }
    };
    Ok(allow(shared, scope, &identity, route, request)?)
}

fn allow(
    shared: &Shared,
    scope: &Scope,
    identity: &Identity,
    route: &Route,
    request: &Request<Body>,
) -> Result<(), Refusal> {
    for (action, repository) in route.needs(request.method()) {
        let name = action.strip_prefix("ecr:").unwrap_or(action);
        shared.quotas.take(name, units(name, request), shared.clock.elapsed())?;
        identity.may(action, &scope.repository_arn(repository))?;
    }
    Ok(())
}

/// How often a request does its action: ECR makes parts of a body.
fn units(action: &str, request: &Request<Body>) -> u32 {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let parts = length.unwrap_or(0u64).div_ceil(PART).max(1);
    if action == "UploadLayerPart" { u32::try_from(parts).unwrap_or(u32::MAX) } else { 1 }
}

impl Call<'_> {
    async fn answer(&self, thing: &Thing, request: Request<Body>) -> Result<Response, Stop> {
        let method = request.method().clone();
        match (thing, method) {
            (Thing::Ping, _) => Ok(Response::new(Body::from("{}"))),
            (Thing::Tags, Method::GET) => self.tags(request.uri()),
            (Thing::Referrers(digest), Method::GET) => self.referrers(digest, request.uri()),
            (Thing::Manifest(version), Method::GET | Method::HEAD) => self.manifest(version),
            (Thing::Manifest(version), Method::PUT) => self.put_manifest(version, request).await,
            (Thing::Manifest(version), Method::DELETE) => self.delete_manifest(version),
            (Thing::Blob(digest), Method::HEAD) => self.blob(digest),
            (Thing::Blob(digest), Method::GET) => self.redirect(digest),
            (Thing::Upload(mount), Method::POST) => self.begin(mount.as_ref()),
            (Thing::Session(id), Method::PATCH) => self.part(id, request).await,
            (Thing::Session(id), Method::PUT) => self.complete(id, request).await,
            (Thing::Session(id), Method::DELETE) => self.cancel(id).await,
            // ECR never tells how far an upload is.
            (Thing::Session(id), _) => Err(Refusal::no_upload(id).into()),
            _ => Err(Refusal::no_such_path().into()),
        }
    }

    fn location(&self, rest: &str) -> String {
        format!("http://{}/v2/{}/{rest}", self.host, self.repository)
    }
}

/// Reads what is left of a body. A refusal that comes before the end of a body may be lost with the connection.
async fn drain(body: Body) {
    let mut body = body.into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

/// An answer without a body.
fn empty(status: StatusCode, headers: &[(&'static str, String)]) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(*name, value);
        }
    }
    answer
}
