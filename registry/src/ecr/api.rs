use aws_sdk_ecr::{
    operation::describe_repositories::DescribeRepositoriesError,
    types::{ImageFailure, ImageFailureCode, ImageIdentifier},
};

use super::{EcrClients, api_error};
use crate::{
    error::{Denied, ErrorKind},
    names::{Digest, EcrHost, Repository, Tag},
};

impl EcrClients {
    /// Whether the repository exists; `None` if that cannot be found out.
    pub(crate) async fn exists(&self, host: &EcrHost, repository: &Repository) -> Option<bool> {
        let call = self.of(host).describe_repositories().registry_id(&host.account);
        match call.repository_names(repository.name()).send().await {
            Ok(_) => Some(true),
            Err(error) => match error.as_service_error() {
                Some(DescribeRepositoriesError::RepositoryNotFoundException(_)) => Some(false),
                _ => None,
            },
        }
    }

    /// Takes a tag away; a tag that is gone is no error.
    pub(crate) async fn untag(
        &self,
        host: &EcrHost,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<(), ErrorKind> {
        let image = ImageIdentifier::builder().image_tag(tag.as_str()).build();
        let call = self.of(host).batch_delete_image().registry_id(&host.account);
        let call = call.repository_name(repository.name()).image_ids(image);
        let answer = call.send().await.map_err(|error| api_error(error, Some(repository)))?;
        let failure = answer.failures().iter().map(image_failure);
        match failure.into_iter().find(|kind| !matches!(kind, ErrorKind::ImageMissing)) {
            Some(kind) => Err(kind),
            None => Ok(()),
        }
    }

    /// The tags of an image, sorted; `None` if the image is not there.
    pub(crate) async fn tags_of(
        &self,
        host: &EcrHost,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Tag>>, ErrorKind> {
        let image = ImageIdentifier::builder().image_digest(digest.to_string()).build();
        let call = self.of(host).describe_images().registry_id(&host.account);
        let answer = match call.repository_name(repository.name()).image_ids(image).send().await {
            Ok(answer) => answer,
            Err(error) => {
                return match api_error(error, Some(repository)) {
                    ErrorKind::ImageMissing => Ok(None),
                    kind => Err(kind),
                };
            }
        };
        let Some(details) = answer.image_details().first() else { return Ok(None) };
        let mut tags: Vec<Tag> = details.image_tags().iter().filter_map(|tag| tag.parse().ok()).collect();
        tags.sort();
        Ok(Some(tags))
    }
}

/// What it means that one image of a batch failed.
pub(super) fn image_failure(failure: &ImageFailure) -> ErrorKind {
    let code = failure.failure_code().map_or("", ImageFailureCode::as_str);
    let message = failure.failure_reason().unwrap_or_default().to_owned();
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
