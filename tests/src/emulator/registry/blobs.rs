//! Blobs and their uploads.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures::StreamExt;
use http::{HeaderMap, Request, StatusCode, Uri};

use super::{Call, drain, empty};
use crate::ecr::route::Mount;
use crate::emulator::refusal::{Refusal, Stop};
use crate::emulator::storage;
use crate::emulator::store::blob::Blob;
use crate::emulator::uploads::{Handle, Upload};

impl Call<'_> {
    fn find(&self, digest: &str) -> Result<Arc<Blob>, Refusal> {
        let mut state = self.shared.state();
        let repository = state.registry(self.scope)?.repository(self.repository)?;
        repository.blobs.get(digest).cloned().ok_or_else(Refusal::no_blob)
    }

    pub(super) fn blob(&self, digest: &str) -> Result<Response, Stop> {
        let size = self.find(digest)?.size.to_string();
        let kind = "application/octet-stream".to_owned();
        let headers =
            [("content-length", size), ("docker-content-digest", digest.to_owned()), ("content-type", kind)];
        Ok(empty(StatusCode::OK, &headers))
    }

    /// The bytes are somewhere else.
    pub(super) fn redirect(&self, digest: &str) -> Result<Response, Stop> {
        self.find(digest)?;
        let url = storage::url(self.shared, self.scope, self.repository, digest);
        Ok(empty(StatusCode::TEMPORARY_REDIRECT, &[("location", url)]))
    }

    pub(super) fn begin(&self, mount: Option<&Mount>) -> Result<Response, Stop> {
        let (shared, options) = (self.shared, &self.shared.options);
        {
            let mut state = shared.state();
            let registry = state.registry(self.scope)?;
            if options.open && !registry.repositories.contains_key(self.repository) {
                registry.create(self.repository, &serde_json::Value::Null, shared.clock.now())?;
            }
            if let Err(missing) = registry.for_push(self.repository, shared.clock.now()) {
                return Err(if options.hangs_up { Stop::HangUp } else { missing.into() });
            }
            if let Some(Mount { digest, from }) = mount
                && registry.mount(digest, from, self.repository)
            {
                return Ok(self.created(digest));
            }
        }
        let id = shared.name();
        let upload = Upload::new(self.scope.clone(), self.repository, options.keep, shared.folder.path())?;
        shared.uploads.begin(&id, upload);
        let headers = [
            ("location", self.location(&format!("blobs/uploads/{id}"))),
            ("range", "0-0".to_owned()),
            ("docker-upload-uuid", id),
        ];
        Ok(empty(StatusCode::ACCEPTED, &headers))
    }

    /// The upload, if it was begun in this repository.
    async fn upload(&self, id: &str) -> Result<Handle, Refusal> {
        let handle = self.shared.uploads.get(id)?;
        let upload = handle.lock().await;
        let here = upload.repository == self.repository && upload.scope == *self.scope;
        drop(upload);
        if here { Ok(handle) } else { Err(Refusal::no_upload(id)) }
    }

    /// Takes the body of a request in as a part, if it may be the next.
    async fn receive(&self, id: &str, request: Request<Body>) -> Result<Handle, Stop> {
        let refused = match self.upload(id).await {
            Ok(handle) => {
                let mut upload = handle.lock().await;
                match upload.follows(first_byte(request.headers())) {
                    Ok(()) => {
                        fill(&mut upload, request.into_body()).await?;
                        drop(upload);
                        return Ok(handle);
                    }
                    Err(refusal) => refusal,
                }
            }
            Err(refusal) => refusal,
        };
        drain(request.into_body()).await;
        Err(refused.into())
    }

    /// A part. The status is 201 where the protocol wants 202, and the range is that of the first part.
    pub(super) async fn part(&self, id: &str, request: Request<Body>) -> Result<Response, Stop> {
        let handle = self.receive(id, request).await?;
        let range = handle.lock().await.range();
        let headers = [
            ("location", self.location(&format!("blobs/uploads/{id}"))),
            ("range", range),
            ("docker-upload-uuid", id.to_owned()),
        ];
        Ok(empty(StatusCode::CREATED, &headers))
    }

    /// The last part, which may be empty or all there is.
    pub(super) async fn complete(&self, id: &str, request: Request<Body>) -> Result<Response, Stop> {
        let digest = digest(request.uri());
        let handle = self.receive(id, request).await?;
        self.shared.uploads.end(id);
        // Another request for the same upload may still hold it: then this one fails.
        let Some(upload) = Arc::into_inner(handle) else { return Err(Refusal::no_upload(id).into()) };
        let digest = digest.ok_or_else(Refusal::layer_digest)?;
        let blob = Arc::new(upload.into_inner().finish(&digest)?);
        let mut state = self.shared.state();
        let repository = state.registry(self.scope)?.repository_mut(self.repository)?;
        repository.blobs.insert(digest.clone(), blob);
        Ok(self.created(&digest))
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<Response, Stop> {
        self.upload(id).await?;
        self.shared.uploads.end(id);
        Ok(empty(StatusCode::NO_CONTENT, &[]))
    }

    fn created(&self, digest: &str) -> Response {
        let headers = [
            ("location", self.location(&format!("blobs/{digest}"))),
            ("docker-content-digest", digest.to_owned()),
        ];
        empty(StatusCode::CREATED, &headers)
    }
}

/// Writes a part. What came of a body that breaks off stays.
async fn fill(upload: &mut Upload, body: Body) -> Result<(), Stop> {
    let mut body = body.into_data_stream();
    upload.part();
    while let Some(data) = body.next().await {
        upload.write(&data.map_err(|_| Stop::HangUp)?)?;
    }
    Ok(())
}

/// The start of a `Content-Range`, which is written `first-last` or `bytes first-last/*`.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get("content-range")?.to_str().ok()?;
    text.trim_start_matches("bytes ").split('-').next()?.parse().ok()
}

fn digest(uri: &Uri) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let digest = pairs.into_iter().find(|(name, _)| *name == "digest")?.1;
    Some(digest.replace("%3A", ":").replace("%3a", ":"))
}
