//! `/v2`: the registry protocol with ECR's password and permissions before MiniStack's open registry.

use std::time::SystemTime;

use anyhow::Result;
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::json;

use super::upstream::is_there;
use super::{Grant, Shared};
use crate::ecr::answer;
use crate::ecr::password::Verdict;
use crate::ecr::route::{Route, Thing};

pub(super) async fn serve(shared: &Shared, request: Request<Body>) -> Result<Response> {
    let Some(route) = Route::of(request.uri()) else {
        return Ok(answer::registry_error(
            StatusCode::NOT_FOUND,
            "UNSUPPORTED",
            "no such path in the registry protocol",
        ));
    };
    let repository = Some(route.repository.clone()).filter(|name| !name.is_empty());
    let entry = shared.ledger.open(format!("{} {}", request.method(), route.thing.noun()), repository);
    let request = request.map(|body| entry.count_received(body));
    Ok(entry.close(admit(shared, &route, request).await?))
}

/// Passes on what password and policies allow.
async fn admit(shared: &Shared, route: &Route, request: Request<Body>) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let grant = match shared.passwords.check(parts.headers.get(AUTHORIZATION), SystemTime::now()) {
        Verdict::Valid(grant) => grant,
        Verdict::Expired => {
            let message = "Your authorization token has expired. Reauthenticate and try again.";
            return Ok(answer::registry_error(StatusCode::FORBIDDEN, "DENIED", message));
        }
        Verdict::Unknown => {
            let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
            return Ok(answer::challenge(host.unwrap_or("localhost")));
        }
    };
    for (action, repository) in route.needs(&parts.method) {
        let arn = grant.scope.repository_arn(repository);
        let (caller, account) = (&grant.caller, &grant.scope.account);
        if let Some(denial) = shared.callers.denial(&shared.upstream, caller, account, action, &arn).await? {
            return Ok(answer::registry_error(StatusCode::FORBIDDEN, "DENIED", &denial));
        }
    }
    obey(shared, route, &grant, parts, body).await
}

async fn obey(
    shared: &Shared,
    route: &Route,
    grant: &Grant,
    mut parts: Parts,
    body: Body,
) -> Result<Response> {
    let _unchanged = match route.thing {
        Thing::Manifest(_) | Thing::Tags => Some(shared.images.read().await),
        _ => None,
    };
    if let Thing::Manifest(tag) = &route.thing
        && parts.method == Method::PUT
        && !tag.contains(':')
        && let Some(refusal) = immutable(shared, route, grant, tag).await?
    {
        return Ok(refusal);
    }
    parts.headers.remove(AUTHORIZATION);
    parts.headers.insert(HOST, HeaderValue::try_from(grant.scope.host())?);
    shared.upstream.forward(Request::from_parts(parts, body)).await
}

/// ECR's refusal to set a tag again that may not move, even to the digest that it has.
async fn immutable(shared: &Shared, route: &Route, grant: &Grant, tag: &str) -> Result<Option<Response>> {
    let Route { repository, .. } = route;
    let path = format!("/v2/{repository}/manifests/{tag}");
    if !is_there(&shared.upstream.registry(&grant.scope, Method::HEAD, &path).await?) {
        return Ok(None);
    }
    let input = json!({ "repositoryNames": [repository] });
    let described = shared.upstream.ecr(&grant.scope, "DescribeRepositories", &input).await?;
    if described["repositories"][0]["imageTagMutability"] != "IMMUTABLE" {
        return Ok(None);
    }
    let message = format!(
        "The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because the \
         repository is immutable."
    );
    Ok(Some(answer::registry_error(StatusCode::BAD_REQUEST, "TAG_INVALID", &message)))
}
