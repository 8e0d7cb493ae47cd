//! What a request of the registry protocol is about, and which of ECR's actions it is.

use std::collections::HashMap;

use axum::extract::Query;
use http::{Method, Uri};

/// What a path of the registry protocol is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Ping,
    Catalog,
    Tags,
    /// By tag or digest.
    Manifest(String),
    /// By digest.
    Blob(String),
    /// What is about the manifest of this digest.
    Referrers(String),
    /// An upload that begins, if asked so as a mount of that blob from another repository.
    Upload(Option<Mount>),
    /// By the last part of its path.
    Session(String),
}

/// A blob, and the repository that has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) digest: String,
    pub(crate) from: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) repository: String,
    pub(crate) thing: Thing,
}

/// Whether the path belongs to another service that has `/v2` paths.
pub(crate) fn is_foreign(path: &str) -> bool {
    !matches!(path, "/v2" | "/v2/" | "/v2/_catalog")
        && !["/blobs/", "/manifests/", "/referrers/", "/tags/list"].iter().any(|part| path.contains(part))
}

impl Thing {
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Catalog => "catalog",
            Self::Tags => "tags",
            Self::Manifest(_) => "manifest",
            Self::Blob(_) => "blob",
            Self::Referrers(_) => "referrers",
            Self::Upload(_) | Self::Session(_) => "upload",
        }
    }
}

impl Route {
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let path = uri.path().strip_prefix("/v2")?.trim_start_matches('/');
        let bare = |thing| Some(Self { repository: String::new(), thing });
        if matches!(path, "" | "_catalog") {
            return bare(if path.is_empty() { Thing::Ping } else { Thing::Catalog });
        }
        let at = |part: &str| path.find(part).map(|at| (&path[..at], &path[at + part.len()..]));
        let (repository, thing) = if let Some((repository, rest)) = at("/blobs/uploads") {
            let session = rest.trim_matches('/');
            let begins = session.is_empty();
            (repository, if begins { Thing::Upload(mount(uri)) } else { Thing::Session(session.to_owned()) })
        } else if let Some((repository, digest)) = at("/blobs/") {
            (repository, Thing::Blob(digest.to_owned()))
        } else if let Some((repository, version)) = at("/manifests/") {
            (repository, Thing::Manifest(version.to_owned()))
        } else if let Some((repository, digest)) = at("/referrers/") {
            (repository, Thing::Referrers(digest.to_owned()))
        } else {
            (path.strip_suffix("/tags/list")?, Thing::Tags)
        };
        (!repository.is_empty()).then(|| Self { repository: repository.to_owned(), thing })
    }

    /// The permissions that ECR asks for, and the repository for which.
    pub(crate) fn needs<'a>(&'a self, method: &Method) -> Vec<(&'static str, &'a str)> {
        let here = |action| (action, self.repository.as_str());
        match (&self.thing, method) {
            (Thing::Ping | Thing::Catalog, _) => vec![],
            (Thing::Tags, _) => vec![here("ecr:ListImages")],
            (Thing::Manifest(_), &Method::PUT) => vec![here("ecr:PutImage")],
            (Thing::Manifest(_), &Method::DELETE) => vec![here("ecr:BatchDeleteImage")],
            (Thing::Manifest(_), _) => vec![here("ecr:BatchGetImage")],
            (Thing::Referrers(_), _) => vec![here("ecr:ListImageReferrers")],
            (Thing::Blob(_), &Method::HEAD) => vec![here("ecr:BatchCheckLayerAvailability")],
            (Thing::Blob(_), _) => vec![here("ecr:GetDownloadUrlForLayer")],
            (Thing::Upload(None), _) => vec![here("ecr:InitiateLayerUpload")],
            (Thing::Upload(Some(Mount { from, .. })), _) => {
                vec![here("ecr:InitiateLayerUpload"), ("ecr:GetDownloadUrlForLayer", from)]
            }
            (Thing::Session(_), &Method::PUT) => {
                vec![here("ecr:UploadLayerPart"), here("ecr:CompleteLayerUpload")]
            }
            (Thing::Session(_), _) => vec![here("ecr:UploadLayerPart")],
        }
    }
}

/// What a client asks to mount. With a further parameter, `origin`, ECR does not see it as a mount.
fn mount(uri: &Uri) -> Option<Mount> {
    let Query(mut query) = Query::<HashMap<String, String>>::try_from_uri(uri).ok()?;
    let mount = Mount { digest: query.remove("mount")?, from: query.remove("from")? };
    (!query.contains_key("origin")).then_some(mount)
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
        check(
            "POST /v2/shop/web/blobs/uploads/?mount=sha256:a",
            web,
            "upload",
            &[("ecr:InitiateLayerUpload", web)],
        );
        check("GET /v2/shop/web/referrers/sha256:a", web, "referrers", &[("ecr:ListImageReferrers", web)]);
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
