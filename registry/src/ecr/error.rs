use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecr::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{ImageFailure, ImageFailureCode},
};

use crate::{
    error::{Denied, ErrorKind, Trouble, quoted},
    names::Repository,
    transport::causes,
};

/// What an error of the API means. Without a repository the call was about the whole registry.
pub(crate) fn api_error<E>(error: SdkError<E, HttpResponse>, repository: Option<&Repository>) -> ErrorKind
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let words = quoted(error.message().unwrap_or_default());
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    if !code.is_empty() {
        return service_error(&code, words, status, repository);
    }
    let trouble = match &error {
        SdkError::TimeoutError(_) => Trouble::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Trouble::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_io() => trouble_of(&error),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => return unsent(&error),
        _ if status >= 500 => return ErrorKind::Unavailable { status: status.to_string(), message: words },
        _ => return ErrorKind::Protocol(chain(&error)),
    };
    ErrorKind::NoAnswer { host: "ECR's API".to_owned(), trouble, cause: Some(Arc::new(error)) }
}

fn service_error(code: &str, words: String, status: u16, repository: Option<&Repository>) -> ErrorKind {
    match (code.strip_suffix("Exception").unwrap_or(code), repository) {
        ("RepositoryNotFound", Some(repository)) => ErrorKind::RepositoryMissing(repository.clone()),
        ("ImageNotFound", _) => ErrorKind::ImageMissing,
        ("AccessDenied" | "UnauthorizedOperation", _) => Denied::parse(&words).into(),
        (
            "ExpiredToken"
            | "UnrecognizedClient"
            | "InvalidClientTokenId"
            | "InvalidSignature"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "OptInRequired"
            | "RequestExpired",
            _,
        ) => ErrorKind::AwsCredentials { message: format!("{code}: {words}") },
        ("Throttling" | "TooManyRequests" | "RequestLimitExceeded", _) => ErrorKind::Throttled(words),
        ("LimitExceeded" | "TooManyTags", _) => ErrorKind::QuotaExceeded(words),
        ("LayersNotFound" | "LayerInaccessible" | "ReferencedImagesNotFound", _) => {
            ErrorKind::ContentMissing(words)
        }
        ("Server" | "InternalFailure" | "ServiceUnavailable", _) => {
            ErrorKind::Unavailable { status: code.to_owned(), message: words }
        }
        _ if status >= 500 => ErrorKind::Unavailable { status: code.to_owned(), message: words },
        _ => ErrorKind::Refused { status: code.to_owned(), message: words },
    }
}

/// What it means that one image of a batch failed.
pub(super) fn image_failure(failure: &ImageFailure) -> ErrorKind {
    let code = failure.failure_code().map_or("", ImageFailureCode::as_str);
    let message = quoted(failure.failure_reason().unwrap_or_default());
    match failure.failure_code() {
        Some(ImageFailureCode::ImageNotFound) => ErrorKind::ImageMissing,
        Some(ImageFailureCode::UpstreamAccessDenied) => Denied::parse(&message).into(),
        Some(ImageFailureCode::UpstreamTooManyRequests) => ErrorKind::Throttled(message),
        Some(ImageFailureCode::UpstreamUnavailable) => {
            ErrorKind::Unavailable { status: code.to_owned(), message }
        }
        _ => ErrorKind::Refused { status: code.to_owned(), message },
    }
}

/// Whether the API said this: a code that stands for no other kind of error.
pub(super) fn said(kind: &ErrorKind, code: &str) -> bool {
    matches!(kind, ErrorKind::Refused { status, .. } if status == code)
}

/// The request could not even be signed, or its connection not be made in a known way.
fn unsent(error: &(dyn std::error::Error + 'static)) -> ErrorKind {
    let credentials = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
    let message = match credentials {
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            "none of the usual places has credentials (environment, profile, web identity, container, instance)".to_owned()
        }
        Some(other) => chain(other),
        None => chain(error),
    };
    ErrorKind::AwsCredentials { message }
}

fn trouble_of(error: &(dyn std::error::Error + 'static)) -> Trouble {
    let text = chain(error);
    if causes(error).any(<dyn std::error::Error>::is::<rustls::Error>) {
        Trouble::Tls
    } else if text.contains("dns error") || text.contains("failed to lookup address") {
        Trouble::Dns
    } else if text.contains("onnect") {
        Trouble::Connect
    } else {
        Trouble::Cut
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}
