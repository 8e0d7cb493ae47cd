//! What ECR refuses: one value, told in the words of the API or in those of the registry protocol.

use axum::response::Response;
use http::StatusCode;

use super::store::Repository;
use crate::ecr::{Scope, answer};

/// One refusal. The API answers 400 with the exception's name, the registry protocol a status with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) exception: &'static str,
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Refusal),
    /// A password is asked for.
    Stranger,
    /// The connection ends without an answer.
    HangUp,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        tracing::error!("the emulator cannot keep content: {error}");
        Self::HangUp
    }
}

impl Refusal {
    fn new(exception: &'static str, status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { exception, status, code, message: message.into() }
    }

    pub(super) fn api(&self) -> Response {
        answer::api_error(self.exception, &self.message)
    }

    pub(super) fn registry(&self) -> Response {
        answer::registry_error(self.status, self.code, &self.message)
    }

    pub(super) fn throttled() -> Self {
        Self::new("ThrottlingException", 429, "TOOMANYREQUESTS", "Rate exceeded")
    }

    pub(super) fn denied(arn: &str, action: &str, resource: &str) -> Self {
        let message = format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
             allows the {action} action"
        );
        Self::new("AccessDeniedException", 403, "DENIED", message)
    }

    pub(super) fn expired() -> Self {
        let message = "Your authorization token has expired. Reauthenticate and try again.";
        Self::new("ExpiredTokenException", 403, "DENIED", message)
    }

    pub(super) fn signature(exception: &'static str, message: impl Into<String>) -> Self {
        Self::new(exception, 403, "DENIED", message)
    }

    pub(super) fn no_repository(name: &str, scope: &Scope) -> Self {
        let message = format!(
            "The repository with name '{name}' does not exist in the registry with id '{}'",
            scope.account
        );
        Self::new("RepositoryNotFoundException", 404, "NAME_UNKNOWN", message)
    }

    pub(super) fn repository_exists(name: &str, scope: &Scope) -> Self {
        let message = format!(
            "The repository with name '{name}' already exists in the registry with id '{}'",
            scope.account
        );
        Self::new("RepositoryAlreadyExistsException", 400, "NAME_INVALID", message)
    }

    pub(super) fn repository_not_empty(name: &str, scope: &Scope) -> Self {
        let message = format!(
            "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains \
             images",
            scope.account
        );
        Self::new("RepositoryNotEmptyException", 400, "DENIED", message)
    }

    pub(super) fn no_manifest() -> Self {
        Self::new("ImageNotFoundException", 404, "MANIFEST_UNKNOWN", "Requested image not found")
    }

    pub(super) fn no_image(id: &str, repository: &Repository) -> Self {
        let message = format!(
            "The image with imageId {id} does not exist within the repository with name '{}' in the registry with id \
             '{}'",
            repository.name, repository.scope.account
        );
        Self::new("ImageNotFoundException", 404, "MANIFEST_UNKNOWN", message)
    }

    pub(super) fn immutable(tag: &str, repository: &str) -> Self {
        let message = format!(
            "The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because \
             the repository is immutable."
        );
        Self::new("ImageTagAlreadyExistsException", 400, "TAG_INVALID", message)
    }

    pub(super) fn image_exists(digest: &str, tag: Option<&str>, repository: &Repository) -> Self {
        let message = format!(
            "Image with digest '{digest}' and tag '{}' already exists in the repository with name '{}' in registry \
             with id '{}'",
            tag.unwrap_or("null"),
            repository.name,
            repository.scope.account
        );
        Self::new("ImageAlreadyExistsException", 400, "TAG_INVALID", message)
    }

    pub(super) fn manifest(constraint: &str) -> Self {
        let message =
            format!("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{constraint}'");
        Self::new("InvalidParameterException", 405, "UNSUPPORTED", message)
    }

    pub(super) fn parameter(name: &str, constraint: &str) -> Self {
        let message = format!("Invalid parameter at '{name}' failed to satisfy constraint: '{constraint}'");
        Self::new("InvalidParameterException", 405, "UNSUPPORTED", message)
    }

    /// `things` are layers or images that a manifest names and the repository does not have.
    pub(super) fn missing(
        exception: &'static str,
        things: &str,
        digests: &[String],
        of: &Repository,
    ) -> Self {
        let message = format!(
            "{things} with digests '[{}]' required for pushing image into repository with name '{}' in the registry \
             with id '{}' do not exist",
            digests.join(", "),
            of.name,
            of.scope.account
        );
        Self::new(exception, 400, "MANIFEST_BLOB_UNKNOWN", message)
    }

    pub(super) fn other_digest(digest: &str, repository: &Repository) -> Self {
        let message = format!(
            "The image with digest '{digest}' in repository '{}' and registry ID '{}' does not match the image digest \
             that Amazon ECR has calculated.",
            repository.name, repository.scope.account
        );
        Self::new("ImageDigestDoesNotMatchException", 400, "MANIFEST_INVALID", message)
    }

    pub(super) fn no_blob() -> Self {
        Self::new("LayersNotFoundException", 404, "BLOB_UNKNOWN", "blob unknown to registry")
    }

    pub(super) fn no_layer(digest: &str, repository: &str) -> Self {
        let message = format!("The layer with digest '{digest}' is not in the repository '{repository}'");
        Self::new("LayerInaccessibleException", 404, "BLOB_UNKNOWN", message)
    }

    pub(super) fn layer_exists(digest: &str, repository: &str) -> Self {
        let message = format!("Layer with digest '{digest}' already exists in the repository '{repository}'");
        Self::new("LayerAlreadyExistsException", 400, "BLOB_UPLOAD_INVALID", message)
    }

    pub(super) fn no_upload(id: &str) -> Self {
        let message = format!("Upload with id '{id}' does not exist");
        Self::new("UploadNotFoundException", 404, "BLOB_UPLOAD_UNKNOWN", message)
    }

    pub(super) fn layer_digest() -> Self {
        let message = "None of the provided layer digests match the calculated layer digest";
        Self::new("InvalidLayerException", 400, "BLOB_UPLOAD_INVALID", message)
    }

    pub(super) fn layer_part(first: u64, expected: u64) -> Self {
        let message = format!("First byte of the layer part is {first} instead of {expected}");
        Self::new("InvalidLayerPartException", 416, "BLOB_UPLOAD_INVALID", message)
    }

    pub(super) fn small_part() -> Self {
        let message = "All layer parts except the last part should be at least 5MB";
        Self::new("LayerPartTooSmallException", 400, "BLOB_UPLOAD_INVALID", message)
    }

    pub(super) fn no_such_path() -> Self {
        Self::new("UnknownOperationException", 404, "UNSUPPORTED", "The operation is unsupported.")
    }

    /// What exists no more than that: policies, templates, configurations.
    pub(super) fn not_found(exception: &'static str, message: impl Into<String>) -> Self {
        Self::new(exception, 404, "UNSUPPORTED", message)
    }
}
