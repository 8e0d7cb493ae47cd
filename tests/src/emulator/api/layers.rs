//! Layers by the API: are they there, where are they, and an upload in parts.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, decode};
use crate::emulator::refusal::Refusal;
use crate::emulator::storage;
use crate::emulator::uploads::{Handle, PART, Upload};

/// The most digests in one call.
const MAX_DIGESTS: usize = 100;

pub(super) fn answer(call: &Call<'_>, action: &str) -> Option<Result<Value, Refusal>> {
    Some(match action {
        "BatchCheckLayerAvailability" => call.availability(),
        "GetDownloadUrlForLayer" => call.download_url(),
        "InitiateLayerUpload" => call.initiate(),
        "UploadLayerPart" => call.upload_part(),
        "CompleteLayerUpload" => call.complete(),
        _ => return None,
    })
}

impl Call<'_> {
    fn availability(&self) -> Result<Value, Refusal> {
        let digests = self.list("layerDigests");
        if digests.is_empty() || digests.len() > MAX_DIGESTS {
            let constraint = "Member must have length between 1 and 100";
            return Err(Refusal::parameter("layerDigests", constraint));
        }
        let mut state = self.shared.state();
        let repository = self.repository(state.registry(self.scope)?)?;
        let (mut layers, mut failures) = (Vec::new(), Vec::new());
        for digest in digests.iter().filter_map(Value::as_str) {
            if !digest.starts_with("sha256:") {
                let reason = "Invalid layer digest";
                failures.push(json!({ "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason }));
            } else if repository.is_archived(digest) {
                layers.push(json!({ "layerDigest": digest, "layerAvailability": "ARCHIVED" }));
            } else if let Some(blob) = repository.blobs.get(digest) {
                layers.push(json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": blob.size }));
            } else {
                layers.push(json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }));
            }
        }
        Ok(json!({ "layers": layers, "failures": failures }))
    }

    fn download_url(&self) -> Result<Value, Refusal> {
        let digest = self.needs("layerDigest")?;
        let mut state = self.shared.state();
        let repository = self.repository(state.registry(self.scope)?)?;
        if !repository.blobs.contains_key(digest) {
            return Err(Refusal::no_layer(digest, &repository.name));
        }
        let url = storage::url(self.shared, self.scope, &repository.name, digest);
        Ok(json!({ "downloadUrl": url, "layerDigest": digest }))
    }

    fn initiate(&self) -> Result<Value, Refusal> {
        let name = self.needs("repositoryName")?;
        self.shared.state().registry(self.scope)?.for_push(name, self.now)?;
        let (id, options) = (self.shared.name(), &self.shared.options);
        let upload = Upload::new(self.scope.clone(), name, options.keep, self.shared.folder.path());
        self.shared.uploads.begin(&id, upload.map_err(|error| broken(&error))?);
        Ok(json!({ "uploadId": id, "partSize": PART }))
    }

    fn upload(&self) -> Result<Handle, Refusal> {
        self.shared.uploads.get(self.needs("uploadId")?)
    }

    fn upload_part(&self) -> Result<Value, Refusal> {
        let handle = self.upload()?;
        let mut upload = handle.try_lock().map_err(|_| Refusal::throttled())?;
        let data = decode(self.needs("layerPartBlob")?)?;
        let first = self.input["partFirstByte"].as_u64().unwrap_or_default();
        upload.follows(Some(first))?;
        upload.part();
        upload.write(&data).map_err(|error| broken(&error))?;
        let last = upload.size().saturating_sub(1);
        Ok(json!({
            "registryId": self.scope.account, "repositoryName": upload.repository,
            "uploadId": self.text("uploadId"), "lastByteReceived": last,
        }))
    }

    fn complete(&self) -> Result<Value, Refusal> {
        let handle = self.upload()?;
        let id = self.needs("uploadId")?;
        let digest = self.list("layerDigests").first().and_then(Value::as_str).unwrap_or_default();
        self.shared.uploads.end(id);
        let upload = Arc::into_inner(handle).ok_or_else(|| Refusal::no_upload(id))?.into_inner();
        let name = upload.repository.clone();
        let blob = upload.finish(digest)?;
        let mut state = self.shared.state();
        let repository = state.registry(self.scope)?.repository_mut(&name)?;
        if repository.blobs.contains_key(digest) {
            return Err(Refusal::layer_exists(digest, &name));
        }
        repository.blobs.insert(digest.to_owned(), Arc::new(blob));
        Ok(json!({
            "registryId": self.scope.account, "repositoryName": name, "uploadId": id, "layerDigest": digest,
        }))
    }
}

fn broken(error: &std::io::Error) -> Refusal {
    tracing::error!("the emulator cannot keep content: {error}");
    Refusal::not_found("ServerException", "These errors are usually caused by a server-side issue.")
}
