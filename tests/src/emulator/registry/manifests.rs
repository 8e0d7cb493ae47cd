//! Manifests, tags, and what is about an image.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderValue, Request, StatusCode, Uri};
use serde_json::{Value, json};

use super::{Call, empty};
use crate::ecr::MAX_DOCUMENT;
use crate::ecr::images::ImageId;
use crate::emulator::refusal::{Refusal, Stop};
use crate::emulator::store::{Incoming, Repository};

/// The most tags in one answer.
const MAX_TAGS: usize = 1000;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Call<'_> {
    /// Looks at the repository.
    fn with<T>(&self, look: impl FnOnce(&mut Repository) -> Result<T, Refusal>) -> Result<T, Refusal> {
        look(self.shared.state().registry(self.scope)?.repository_mut(self.repository)?)
    }

    pub(super) fn manifest(&self, version: &str) -> Result<Response, Stop> {
        let (digest, kind, bytes) = self.with(|repository| {
            let digest = repository.digest_of(version).ok_or_else(Refusal::no_manifest)?;
            let manifest = &repository.manifests[digest];
            Ok((digest.to_owned(), manifest.media_type.clone(), manifest.bytes.clone()))
        })?;
        let length = bytes.len().to_string();
        let headers = [("docker-content-digest", digest), ("content-type", kind), ("content-length", length)];
        let mut answer = empty(StatusCode::OK, &headers);
        *answer.body_mut() = Body::from(bytes);
        Ok(answer)
    }

    /// ECR answers without `Location`.
    pub(super) async fn put_manifest(&self, version: &str, request: Request<Body>) -> Result<Response, Stop> {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, MAX_DOCUMENT).await.map_err(|_| Stop::HangUp)?;
        let media_type = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let (tag, digest) = if version.contains(':') { (None, Some(version)) } else { (Some(version), None) };
        let incoming = Incoming { bytes, media_type, tag, digest };
        let (strict, now) = (self.shared.options.strict, self.shared.clock.now());
        let (digest, subject) = self.with(|repository| {
            let (digest, _) = repository.put(&incoming, strict, now)?;
            let subject = repository.manifests[&digest].subject.clone();
            Ok((digest, subject))
        })?;
        let subject = subject.map(|subject| ("oci-subject", subject));
        let headers = [Some(("docker-content-digest", digest)), subject];
        Ok(empty(StatusCode::CREATED, &headers.into_iter().flatten().collect::<Vec<_>>()))
    }

    pub(super) fn delete_manifest(&self, version: &str) -> Result<Response, Stop> {
        let name = || Some(version.to_owned());
        let (image_digest, image_tag) = if version.contains(':') { (name(), None) } else { (None, name()) };
        let answer = self.with(|repository| Ok(repository.delete(&[ImageId { image_digest, image_tag }])))?;
        match answer["failures"][0]["failureCode"].as_str() {
            None => Ok(empty(StatusCode::ACCEPTED, &[])),
            Some("ImageReferencedByManifestList") => {
                Err(Refusal::manifest("Requested image referenced by manifest list").into())
            }
            Some(_) => Err(Refusal::no_manifest().into()),
        }
    }

    pub(super) fn tags(&self, uri: &Uri) -> Result<Response, Stop> {
        let query = query(uri);
        let size = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(MAX_TAGS);
        if !(1..=MAX_TAGS).contains(&size) {
            let constraint = "Member must have value less than or equal to 1000";
            return Err(Refusal::parameter("maxResults", constraint).into());
        }
        let last = query.get("last").map(String::as_str).unwrap_or_default();
        let mut tags: Vec<String> = self.with(|repository| Ok(repository.tags.keys().cloned().collect()))?;
        tags.retain(|tag| tag.as_str() > last);
        let more = tags.len() > size;
        tags.truncate(size);
        let next = tags.last().filter(|_| more).cloned();
        let mut answer = document("application/json", &json!({ "name": self.repository, "tags": tags }));
        if let Some(last) = next
            && let Ok(link) =
                format!("</v2/{}/tags/list?last={last}&n={size}>; rel=\"next\"", self.repository).parse()
        {
            answer.headers_mut().insert(LINK, link);
        }
        Ok(answer)
    }

    pub(super) fn referrers(&self, digest: &str, uri: &Uri) -> Result<Response, Stop> {
        let query = query(uri);
        let wanted = query.get("artifactType").map(|kind| kind.replace("%2B", "+"));
        let found = self.with(|repository| Ok(repository.referrers(digest)))?;
        let kept = |found: &Value| wanted.as_ref().is_none_or(|wanted| found["artifactType"] == **wanted);
        let manifests: Vec<Value> = found.into_iter().filter(kept).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let mut answer = document(INDEX, &index);
        if wanted.is_some() {
            answer.headers_mut().insert("oci-filters-applied", HeaderValue::from_static("artifactType"));
        }
        Ok(answer)
    }
}

fn query(uri: &Uri) -> HashMap<String, String> {
    Query::try_from_uri(uri).map_or_else(|_| HashMap::new(), |query| query.0)
}

fn document(kind: &'static str, body: &Value) -> Response {
    let mut answer = Response::new(Body::from(body.to_string()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
