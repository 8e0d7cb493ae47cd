use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, ListImagesFilter, TagStatus};
use futures::{Stream, StreamExt, TryStreamExt, stream::BoxStream};

use super::{
    EcrClients, EcrRepository, batches::BATCH, digest, pages::pages, resolve::identifier, time, words::words,
};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Digest, Repository, Tag, Version},
};

/// What ECR knows about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrImage {
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// Its tags, sorted.
    pub tags: Vec<Tag>,
    /// Tags that only ECR's API can name, for they are longer than the registry protocol allows.
    pub odd_tags: Vec<String>,
    /// The media type of its manifest or index.
    pub media_type: Option<String>,
    /// What the artifact is, if it is not an image to be run.
    pub artifact_type: Option<String>,
    /// What its layers take, compressed, in bytes; of an index, nothing or little.
    pub size: Option<u64>,
    /// When it was pushed.
    pub pushed_at: Option<SystemTime>,
    /// When it was pulled last, to about a day; `None` if never.
    pub pulled_at: Option<SystemTime>,
    /// The image that this artifact is about.
    pub subject: Option<Digest>,
    /// Whether it can be pulled.
    pub status: ImageStatus,
}

words! {
    /// Whether an image can be pulled.
    ImageStatus {
        /// It can.
        Active = "ACTIVE",
        /// It lies in the archive.
        Archived = "ARCHIVED",
        /// It is on its way out of the archive.
        Activating = "ACTIVATING",
    }
}

/// Which images are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    /// All.
    Any,
    /// Those with a tag.
    Yes,
    /// Those without; the images of an index are among them.
    No,
}

impl EcrImage {
    /// Whether any tag points at it.
    pub fn is_tagged(&self) -> bool {
        !self.tags.is_empty() || !self.odd_tags.is_empty()
    }

    fn is_called(&self, version: &Version) -> bool {
        match version {
            Version::Tag(tag) => self.tags.contains(tag),
            Version::Digest(digest) => self.digest == *digest,
        }
    }

    fn of(detail: &ImageDetail) -> Result<Self, ErrorKind> {
        let parsed = |tag: &String| tag.parse().map_err(|_| tag.clone());
        let (mut tags, mut odd_tags): (Vec<Tag>, Vec<String>) = (Vec::new(), Vec::new());
        for tag in detail.image_tags().iter().map(parsed) {
            tag.map_or_else(|odd| odd_tags.push(odd), |tag| tags.push(tag));
        }
        tags.sort();
        Ok(Self {
            digest: digest(detail.image_digest())?,
            tags,
            odd_tags,
            media_type: detail.image_manifest_media_type().map(str::to_owned),
            artifact_type: detail.artifact_media_type().map(str::to_owned),
            size: detail.image_size_in_bytes().and_then(|size| size.try_into().ok()),
            pushed_at: time(detail.image_pushed_at()),
            pulled_at: time(detail.last_recorded_pull_time()),
            subject: detail.subject_manifest_digest().and_then(|subject| subject.parse().ok()),
            status: detail.image_status().map_or(ImageStatus::Active, |status| status.as_str().into()),
        })
    }
}

impl EcrRepository {
    /// The images, as they come, by a call for each thousand.
    pub fn images(&self, which: Tagged) -> BoxStream<'static, Result<EcrImage, Error>> {
        let error = self.clone();
        let error = move |kind| error.error(Action::Describe, "")(kind);
        let call = self.client().describe_images().registry_id(&self.host.account);
        let call = call.repository_name(self.repository.name()).max_results(1000);
        let call = call
            .set_filter(which.status().map(|tags| DescribeImagesFilter::builder().tag_status(tags).build()));
        let this = self.clone();
        let ask = move |mark| {
            let (this, call) = (this.clone(), call.clone().set_next_token(mark));
            async move {
                let answer = this.call("DescribeImages", || call.clone().send()).await?;
                let images = answer.image_details().iter().map(EcrImage::of).collect::<Result<_, _>>()?;
                Ok((images, answer.next_token))
            }
        };
        pages(ask).map_err(error).boxed()
    }

    /// The images with these names, in their order, by a call for each hundred; `None` for what is not there.
    pub async fn describe(&self, versions: &[Version]) -> Result<Vec<Option<EcrImage>>, Error> {
        let images = self.described(versions).await.map_err(self.error(Action::Describe, ""))?;
        let find = |version| images.iter().find(|image| image.is_called(version)).cloned();
        Ok(versions.iter().map(find).collect())
    }

    /// All tags and what they point at, by a call for each thousand.
    pub async fn tags(&self) -> Result<BTreeMap<Tag, Digest>, Error> {
        let names = self.list(Tagged::Yes);
        let tags = names.try_filter_map(|(digest, tag)| async move { Ok(tag.map(|tag| (tag, digest))) });
        tags.try_collect().await.map_err(self.error(Action::Describe, ""))
    }

    /// One missing image fails the whole call, and then each half is asked for.
    async fn described(&self, versions: &[Version]) -> Result<Vec<EcrImage>, ErrorKind> {
        let versions: Vec<&Version> = versions.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut images = Vec::new();
        let mut parts: Vec<&[&Version]> = versions.chunks(BATCH).collect();
        while let Some(part) = parts.pop() {
            let call = self.client().describe_images().registry_id(&self.host.account);
            let call = call.repository_name(self.repository.name());
            let call = call.set_image_ids(Some(part.iter().map(|version| identifier(version)).collect()));
            match self.call("DescribeImages", || call.clone().send()).await {
                Ok(answer) => {
                    let part = answer.image_details().iter().map(EcrImage::of).collect::<Result<Vec<_>, _>>();
                    images.extend(part?);
                }
                Err(ErrorKind::ImageMissing) if part.len() > 1 => {
                    parts.extend(part.chunks(part.len().div_ceil(2)));
                }
                Err(ErrorKind::ImageMissing) => {}
                Err(kind) => return Err(kind),
            }
        }
        Ok(images)
    }

    /// The names of all images; those without a tag once, others with each tag.
    pub(super) fn list(
        &self,
        which: Tagged,
    ) -> impl Stream<Item = Result<(Digest, Option<Tag>), ErrorKind>> + Send + use<> {
        let call = self.client().list_images().registry_id(&self.host.account);
        let call = call.repository_name(self.repository.name()).max_results(1000);
        let call =
            call.set_filter(which.status().map(|tags| ListImagesFilter::builder().tag_status(tags).build()));
        let this = self.clone();
        pages(move |mark| {
            let (this, call) = (this.clone(), call.clone().set_next_token(mark));
            async move {
                let answer = this.call("ListImages", || call.clone().send()).await?;
                // A tag that no reference can have is nobody's question.
                let name = |id: &aws_sdk_ecr::types::ImageIdentifier| {
                    let tag = id.image_tag().map(str::parse).transpose().ok()?;
                    Some(digest(id.image_digest()).map(|digest| (digest, tag)))
                };
                let names = answer.image_ids().iter().filter_map(name).collect::<Result<_, _>>()?;
                Ok((names, answer.next_token))
            }
        })
    }
}

impl EcrClients {
    /// The tags of an image, sorted; `None` if the image is not there.
    pub(crate) async fn tags_of(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Tag>>, ErrorKind> {
        let images = EcrRepository::of(self, repository)?.described(&[Version::Digest(*digest)]).await?;
        Ok(images.into_iter().next().map(|image| image.tags))
    }
}

impl Tagged {
    fn status(self) -> Option<TagStatus> {
        match self {
            Self::Any => None,
            Self::Yes => Some(TagStatus::Tagged),
            Self::No => Some(TagStatus::Untagged),
        }
    }
}
