use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::or_default;
use crate::names::{Digest, Platform};

/// What some content is, how to check it, and how long it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// One of [`super::media_type`], or whatever a manifest names.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content in bytes.
    pub size: u64,
    /// What the manifest described is, if it is not an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The platform, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "platform_object")]
    pub platform: Option<Platform>,
    /// Free text by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Describes these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// Describes content of this digest and length in bytes.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        let media_type = media_type.to_owned();
        Self { media_type, digest, size, artifact_type: None, platform: None, annotations: BTreeMap::new() }
    }
}

/// Manifests write a platform as an object, everything else writes it as text.
mod platform_object {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::names::Platform;

    #[derive(Serialize, Deserialize)]
    struct Fields {
        #[serde(default)]
        architecture: String,
        #[serde(default)]
        os: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant: Option<String>,
    }

    #[expect(clippy::ref_option, reason = "the form serde calls")]
    pub(super) fn serialize<S: Serializer>(
        platform: &Option<Platform>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let fields = platform.clone().map(|platform| Fields {
            architecture: platform.architecture,
            os: platform.os,
            variant: platform.variant,
        });
        fields.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Platform>, D::Error> {
        let fields = Option::<Fields>::deserialize(deserializer)?;
        Ok(fields.map(|fields| Platform {
            os: fields.os,
            architecture: fields.architecture,
            variant: fields.variant.filter(|variant| !variant.is_empty()),
        }))
    }
}
