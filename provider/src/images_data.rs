//! The data source `ecr_images`: what is in a repository.

use std::cmp::Reverse;

use ecr_registry::{EcrImage, Repository, Tagged};
use futures::TryStreamExt;
use tfplugin_rs::{
    Call, Configured, Diagnostic, Diagnostics, Field, Object, TypedDataSource, ValidateRequest, async_trait,
};

use crate::{
    access::Access,
    argument::{Place, Text, blamed, faults},
    moment::rfc3339,
    report::Report,
    tag_pattern::TagPattern,
};

/// The data source `ecr_images`.
pub(crate) struct ImagesData(pub(crate) Configured<Access>);

/// The images in a repository in ECR.
#[derive(Object)]
pub(crate) struct Look {
    /// The repository with its registry, `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`, or as a name in the
    /// provider's account and region, `shop/web`.
    repository: Text<Place>,
    /// Only images with a tag like this, in which `*` stands for any text: `v1.*`.
    tag_pattern: Option<Text<TagPattern>>,
    /// `true` for images without a tag only, `false` for those with one. Default: both.
    untagged: Option<bool>,
    /// What was found, the newest first.
    images: Field<Vec<Image>>,
}

/// An image.
#[derive(Object)]
struct Image {
    /// Its digest, `sha256:…`.
    digest: Field<String>,
    /// The image by its digest, `repository@sha256:…`.
    uri: Field<String>,
    /// Its tags, sorted.
    tags: Field<Vec<String>>,
    /// The media type of its manifest or index.
    media_type: Field<String>,
    /// What its layers take, compressed, in bytes; of an index nothing or little.
    size_bytes: Field<u64>,
    /// When it was pushed, as `2026-11-23T02:14:56Z`.
    pushed_at: Field<String>,
}

#[async_trait]
impl TypedDataSource for ImagesData {
    type Model = Look;

    fn type_name(&self) -> &'static str {
        "ecr_images"
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let config = request.config.view();
        let mut problems = faults::<Place>(&config.get("repository"));
        problems.extend(faults::<TagPattern>(&config.get("tag_pattern")));
        let untagged = config.get("untagged").value().as_bool() == Some(true);
        if untagged && !config.get("tag_pattern").value().is_null() {
            let summary = "Images without a tag have none that is like `tag_pattern`";
            problems.push(Diagnostic::error(summary, "Remove one of the two.").at("untagged"));
        }
        problems
    }

    async fn read(&self, config: Look, _: &mut Call) -> Result<Look, Diagnostics> {
        let access = self.0.get()?;
        let repository = access.private(&config.repository).await?.repository;
        let ecr = access.registry()?.ecr(&repository).map_err(|error| error.report())?;
        let found: Vec<EcrImage> = ecr
            .images(config.which())
            .try_collect()
            .await
            .map_err(|error| blamed(&error, "repository", "tag_pattern"))?;
        let mut found: Vec<EcrImage> = found.into_iter().filter(|image| config.means(image)).collect();
        found.sort_by_key(|image| (Reverse(image.pushed_at), image.digest));
        let images: Vec<Image> = found.iter().map(|image| Image::of(&repository, image)).collect();
        Ok(Look { images: images.into(), ..config })
    }
}

impl Look {
    fn which(&self) -> Tagged {
        match (self.untagged, &self.tag_pattern) {
            (Some(true), _) => Tagged::No,
            (Some(false), _) | (None, Some(_)) => Tagged::Yes,
            (None, None) => Tagged::Any,
        }
    }

    fn means(&self, image: &EcrImage) -> bool {
        self.tag_pattern.as_ref().is_none_or(|pattern| image.tags.iter().any(|tag| pattern.matches(tag)))
    }
}

impl Image {
    fn of(repository: &Repository, image: &EcrImage) -> Self {
        Self {
            digest: image.digest.to_string().into(),
            uri: format!("{repository}@{}", image.digest).into(),
            tags: image.tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>().into(),
            media_type: image.media_type.clone().into(),
            size_bytes: image.size.into(),
            pushed_at: image.pushed_at.map(rfc3339).into(),
        }
    }
}
