//! The data source `ecr_image`: an image that is there, or is not.

use std::collections::BTreeMap;

use ecr_registry::{Digest, EcrImage, ManifestKind, Outcome, Reference, Registry, Tag, Version};
use tfplugin_rs::{
    Attribute, Configured, DataSource, Diagnostic, Diagnostics, ReadDataRequest, ReadDataResponse, Schema,
    Type, ValidateRequest, Value, async_trait,
};

use crate::{
    access::Access,
    image::{Found, find},
    moment::rfc3339,
    report::Report,
};

/// The data source `ecr_image`.
pub(crate) struct ImageData(pub(crate) Configured<Access>);

#[async_trait]
impl DataSource for ImageData {
    fn type_name(&self) -> &'static str {
        "ecr_image"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let text = request.config.get("reference").as_str();
        text.map_or(Ok(()), |text| parse(text).map(drop)).err().unwrap_or_default()
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let reference = parse(request.config.get("reference").as_str().unwrap_or_default())?;
        let access = self.0.get()?;
        let state = look(access.registry()?, &reference, request.config).await?;
        Ok(ReadDataResponse { state, ..ReadDataResponse::default() })
    }
}

fn schema() -> Schema {
    let map = || Type::map(Type::String);
    let attributes = [
        Attribute::required("reference", Type::String)
            .describe("The image: `repository:tag` or `repository@sha256:…`."),
        Attribute::optional("allow_missing", Type::Bool).describe(
            "Give `exists = false` instead of an error when there is no such image. Default: `false`.",
        ),
        Attribute::computed("exists", Type::Bool).describe("Whether there is such an image."),
        Attribute::computed("digest", Type::String).describe("Its digest, `sha256:…`."),
        Attribute::computed("uri", Type::String).describe("The image by its digest, `repository@sha256:…`."),
        Attribute::computed("media_type", Type::String).describe("The media type of its manifest or index."),
        Attribute::computed("platforms", Type::set(Type::String)).describe("The platforms it is for."),
        Attribute::computed("platform_digests", map()).describe("Platform to the digest of its image."),
        Attribute::computed("tags", Type::set(Type::String)).describe(
            "All tags that point at it. Null outside of private ECR, and without permission for `ecr:DescribeImages`.",
        ),
        Attribute::computed("pushed_at", Type::String)
            .describe("When it was pushed, as `2026-11-23T02:14:56Z`. Null where `tags` is."),
        Attribute::computed("labels", map()).describe("Its labels; none for an image of several platforms."),
        Attribute::computed("annotations", map()).describe("The annotations of its manifest or index."),
        Attribute::computed("size_bytes", Type::Number)
            .describe("What it takes in the registry, compressed, in bytes, all platforms together."),
    ];
    let schema = Schema::new().describe("An image in a registry: whether it is there, and what it is.");
    attributes.into_iter().fold(schema, Schema::attribute)
}

fn parse(text: &str) -> Result<Reference, Diagnostics> {
    text.parse().map_err(|error: ecr_registry::NameError| error.report().at("reference").into())
}

async fn look(registry: &Registry, reference: &Reference, mut state: Value) -> Result<Value, Diagnostics> {
    let found = match find(registry, &reference.repository, &reference.version()).await {
        Err(error) if error.outcome() == Outcome::ImageGone => None,
        found => found.map_err(|error| Diagnostics::from(error.report().at("reference")))?,
    };
    state.set("exists", found.is_some());
    match found {
        Some(found) => {
            fill(&mut state, reference, &found);
            let image = described(registry, reference, found.content.digest).await?;
            let tags = image.as_ref().map(|image| image.tags.iter().map(Tag::as_str).collect::<Vec<_>>());
            state.set("tags", tags);
            state.set("pushed_at", image.and_then(|image| image.pushed_at).map(rfc3339));
        }
        None if state.get("allow_missing").as_bool() == Some(true) => {}
        None => {
            let detail = "Check the repository and the tag or digest, or allow it with allow_missing = true.";
            return Err(Diagnostic::error(format!("There is no image `{reference}`"), detail)
                .at("reference")
                .into());
        }
    }
    Ok(state)
}

/// What ECR knows of it, if it is ECR that has it and may be asked: pulling needs less.
async fn described(
    registry: &Registry,
    reference: &Reference,
    digest: Digest,
) -> Result<Option<EcrImage>, Diagnostics> {
    if reference.repository.host().ecr().is_none() {
        return Ok(None);
    }
    let ecr = registry.ecr(&reference.repository).map_err(|error| error.report())?;
    match ecr.describe(&[Version::Digest(digest)]).await {
        Ok(found) => Ok(found.into_iter().next().flatten()),
        Err(error) if error.outcome() == Outcome::NotAllowed => Ok(None),
        Err(error) => Err(error.report().into()),
    }
}

fn fill(state: &mut Value, reference: &Reference, found: &Found) {
    let content = &found.content;
    let texts = |map: &BTreeMap<String, String>| Value::from(map.clone());
    let annotations = match &found.manifest.kind {
        ManifestKind::Image(image) => &image.annotations,
        ManifestKind::Index(index) => &index.annotations,
    };
    let labels = found.config.as_ref().map(|config| texts(&config.config.labels));
    let platforms = content.platform_digests.keys().cloned().collect::<Vec<_>>();
    let digests = content.platform_digests.iter();
    state.set("digest", content.digest.to_string());
    state.set("uri", format!("{}@{}", reference.repository, content.digest));
    state.set("media_type", found.manifest.media_type.clone());
    state.set("platforms", platforms);
    state.set(
        "platform_digests",
        Value::object(digests.map(|(name, digest)| (name, digest.to_string().into()))),
    );
    state.set("labels", labels.unwrap_or_else(|| texts(&BTreeMap::new())));
    state.set("annotations", texts(annotations));
    state.set("size_bytes", content.size_bytes);
}
