//! `/v2`: the registry protocol with ECR's password and permissions before MiniStack's open registry.

use std::collections::HashMap;
use std::time::SystemTime;

use anyhow::Result;
use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use serde_json::json;

use super::password::{Grant, Verdict};
use super::upstream::is_there;
use super::{Shared, answer};

/// What a path of the registry protocol is about.
#[derive(Debug, PartialEq, Eq)]
enum Thing {
    Ping,
    Catalog,
    Tags,
    /// By tag or digest.
    Manifest(String),
    Blob,
    /// An upload that begins, if asked so as a mount of a blob from that repository.
    Upload {
        from: Option<String>,
    },
    Session,
}

#[derive(Debug, PartialEq, Eq)]
struct Route {
    repository: String,
    thing: Thing,
}

/// Whether the path belongs to another service that has `/v2` paths.
pub(super) fn is_foreign(path: &str) -> bool {
    !matches!(path, "/v2" | "/v2/" | "/v2/_catalog")
        && !["/blobs/", "/manifests/", "/tags/list"].iter().any(|part| path.contains(part))
}

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

impl Thing {
    fn noun(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Catalog => "catalog",
            Self::Tags => "tags",
            Self::Manifest(_) => "manifest",
            Self::Blob => "blob",
            Self::Upload { .. } | Self::Session => "upload",
        }
    }
}

impl Route {
    fn of(uri: &Uri) -> Option<Self> {
        let path = uri.path().strip_prefix("/v2")?.trim_start_matches('/');
        let bare = |thing| Some(Self { repository: String::new(), thing });
        if matches!(path, "" | "_catalog") {
            return bare(if path.is_empty() { Thing::Ping } else { Thing::Catalog });
        }
        let at = |part: &str| path.find(part).map(|at| (&path[..at], &path[at + part.len()..]));
        let (repository, thing) = if let Some((repository, rest)) = at("/blobs/uploads") {
            let begins = rest.trim_matches('/').is_empty();
            (repository, if begins { Thing::Upload { from: mounted_from(uri) } } else { Thing::Session })
        } else if let Some((repository, _)) = at("/blobs/") {
            (repository, Thing::Blob)
        } else if let Some((repository, version)) = at("/manifests/") {
            (repository, Thing::Manifest(version.to_owned()))
        } else {
            (path.strip_suffix("/tags/list")?, Thing::Tags)
        };
        (!repository.is_empty()).then(|| Self { repository: repository.to_owned(), thing })
    }

    /// The permissions that ECR asks for, and the repository for which.
    fn needs<'a>(&'a self, method: &Method) -> Vec<(&'static str, &'a str)> {
        let here = |action| (action, self.repository.as_str());
        match (&self.thing, method) {
            (Thing::Ping | Thing::Catalog, _) => vec![],
            (Thing::Tags, _) => vec![here("ecr:ListImages")],
            (Thing::Manifest(_), &Method::PUT) => vec![here("ecr:PutImage")],
            (Thing::Manifest(_), &Method::DELETE) => vec![here("ecr:BatchDeleteImage")],
            (Thing::Manifest(_), _) => vec![here("ecr:BatchGetImage")],
            (Thing::Blob, &Method::HEAD) => vec![here("ecr:BatchCheckLayerAvailability")],
            (Thing::Blob, _) => vec![here("ecr:GetDownloadUrlForLayer")],
            (Thing::Upload { from: None }, _) => vec![here("ecr:InitiateLayerUpload")],
            (Thing::Upload { from: Some(source) }, _) => {
                vec![here("ecr:InitiateLayerUpload"), ("ecr:GetDownloadUrlForLayer", source)]
            }
            (Thing::Session, &Method::PUT) => {
                vec![here("ecr:UploadLayerPart"), here("ecr:CompleteLayerUpload")]
            }
            (Thing::Session, _) => vec![here("ecr:UploadLayerPart")],
        }
    }
}

fn mounted_from(uri: &Uri) -> Option<String> {
    let Query(mut query) = Query::<HashMap<String, String>>::try_from_uri(uri).ok()?;
    query.contains_key("mount").then(|| query.remove("from"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_it_is_about_and_what_it_needs() {
        let check = |line: &str, repository: &str, noun: &str, needs: &[(&str, &str)]| {
            let (method, path) = line.split_once(' ').unwrap();
            let route = Route::of(&path.parse().unwrap()).unwrap();
            assert_eq!((route.repository.as_str(), route.thing.noun()), (repository, noun), "{line}");
            assert_eq!(route.needs(&method.parse().unwrap()), needs, "{line}");
        };
        let web = "shop/web";
        check("GET /v2/", "", "ping", &[]);
        check("GET /v2", "", "ping", &[]);
        check("GET /v2/_catalog?n=5", "", "catalog", &[]);
        check("GET /v2/shop/web/tags/list?n=5", web, "tags", &[("ecr:ListImages", web)]);
        check("HEAD /v2/shop/web/manifests/v1", web, "manifest", &[("ecr:BatchGetImage", web)]);
        check("PUT /v2/shop/web/manifests/v1", web, "manifest", &[("ecr:PutImage", web)]);
        check("DELETE /v2/shop/web/manifests/sha256:a", web, "manifest", &[("ecr:BatchDeleteImage", web)]);
        check("HEAD /v2/shop/web/blobs/sha256:a", web, "blob", &[("ecr:BatchCheckLayerAvailability", web)]);
        check("GET /v2/shop/web/blobs/sha256:a", web, "blob", &[("ecr:GetDownloadUrlForLayer", web)]);
        check("POST /v2/shop/web/blobs/uploads/", web, "upload", &[("ecr:InitiateLayerUpload", web)]);
        check(
            "POST /v2/shop/web/blobs/uploads/?mount=sha256:a&from=shop%2Fbase",
            web,
            "upload",
            &[("ecr:InitiateLayerUpload", web), ("ecr:GetDownloadUrlForLayer", "shop/base")],
        );
        check("PATCH /v2/shop/web/blobs/uploads/1", web, "upload", &[("ecr:UploadLayerPart", web)]);
        check(
            "PUT /v2/shop/web/blobs/uploads/1?digest=sha256:a",
            web,
            "upload",
            &[("ecr:UploadLayerPart", web), ("ecr:CompleteLayerUpload", web)],
        );
    }

    #[test]
    fn other_services_keep_their_paths() {
        for (path, foreign) in [
            ("/v2/", false),
            ("/v2/shop/web/manifests/v1", false),
            ("/v2/apis", true),
            ("/v2/tags/arn:aws:apigateway", true),
            ("/v2/email/outbound-emails", true),
        ] {
            assert_eq!(is_foreign(path), foreign, "{path}");
        }
        assert_eq!(Route::of(&"/v2//tags/list".parse().unwrap()), None);
    }
}
