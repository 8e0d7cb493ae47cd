use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Descriptor, media_type, or_default};
use crate::names::{Digest, Platform};

/// A manifest as a registry holds it: the bytes, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// One of [`media_type::MANIFESTS`].
    pub media_type: String,
    /// The digest of [`Self::raw`].
    pub digest: Digest,
    /// The very bytes; what is sent on is these.
    pub raw: Bytes,
    /// What the bytes say.
    pub kind: ManifestKind,
}

/// What a manifest describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestKind {
    /// An image for one platform.
    Image(ImageManifest),
    /// Images for several platforms.
    Index(ImageIndex),
}

/// An image for one platform: its configuration and its layers, the lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// Registries want it although OCI lets it be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What this is, if it is not an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    #[serde(deserialize_with = "or_default")]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free text by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

impl ImageManifest {
    /// An OCI manifest of these.
    pub fn oci(config: Descriptor, layers: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        let media_type = Some(media_type::OCI_MANIFEST.to_owned());
        Self {
            schema_version: 2,
            media_type,
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations,
        }
    }
}

/// Images for several platforms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    /// Always 2.
    pub schema_version: u32,
    /// Registries want it although OCI lets it be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What this is, if it is not an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifests, each with its platform.
    #[serde(deserialize_with = "or_default")]
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free text by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

impl ImageIndex {
    /// An OCI index of these.
    pub fn oci(manifests: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        let media_type = Some(media_type::OCI_INDEX.to_owned());
        Self { schema_version: 2, media_type, artifact_type: None, manifests, subject: None, annotations }
    }
}

impl Default for ImageIndex {
    fn default() -> Self {
        Self::oci(Vec::new(), BTreeMap::new())
    }
}

/// Bytes that are no manifest, or not one that can be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ManifestError {
    /// A kind of manifest that nobody writes any more, or not a manifest at all.
    #[error("media type `{0}` is not one of an image or index")]
    MediaType(String),
    /// No JSON, or not the fields that belong there.
    #[error("it is not a valid manifest")]
    Json(#[source] std::sync::Arc<serde_json::Error>),
    /// The media type it came with and the one it names differ.
    #[error("it came as `{given}` but calls itself `{named}`")]
    Mismatch {
        /// From the registry's answer.
        given: String,
        /// From the manifest.
        named: String,
    },
    /// No image for a wanted platform.
    #[error("it has no image for {wanted}{}", others(there))]
    Platform {
        /// The platform.
        wanted: Box<Platform>,
        /// The platforms that are there.
        there: Vec<Platform>,
    },
    /// Indexes in indexes without end, or more manifests than anybody has.
    #[error("it names too many manifests")]
    TooMany,
}

fn others(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    if names.is_empty() { String::new() } else { format!("; it has {}", names.join(", ")) }
}

impl Manifest {
    /// The longest manifest a registry takes, in bytes.
    pub const MAX_SIZE: u64 = 4 * 1024 * 1024;

    /// Reads a manifest. An empty media type means: the one the manifest itself names.
    pub fn parse(media_type: &str, raw: Bytes) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Named {
            media_type: Option<String>,
        }
        let json = |error| ManifestError::Json(std::sync::Arc::new(error));
        let given = media_type.split(';').next().unwrap_or_default().trim();
        let named = serde_json::from_slice::<Named>(&raw).map_err(json)?.media_type.unwrap_or_default();
        let media_type = match (media_type::MANIFESTS.contains(&given), named.is_empty()) {
            (true, false) if given != named => {
                return Err(ManifestError::Mismatch { given: given.to_owned(), named });
            }
            (true, _) => given.to_owned(),
            (false, _) if media_type::MANIFESTS.contains(&named.as_str()) => named,
            (false, _) => return Err(ManifestError::MediaType(given.to_owned())),
        };
        let kind = if media_type::is_index(&media_type) {
            ManifestKind::Index(serde_json::from_slice(&raw).map_err(json)?)
        } else {
            ManifestKind::Image(serde_json::from_slice(&raw).map_err(json)?)
        };
        Ok(Self { media_type, digest: Digest::of(&raw), raw, kind })
    }

    /// Writes the manifest of an image.
    pub fn of_image(manifest: ImageManifest) -> Self {
        let media_type = manifest.media_type.clone().unwrap_or_else(|| media_type::OCI_MANIFEST.to_owned());
        Self::written(media_type, to_json(&manifest), ManifestKind::Image(manifest))
    }

    /// Writes the index of these manifests, each described with its platform.
    pub fn of_index(manifests: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        let index = ImageIndex::oci(manifests, annotations);
        Self::written(media_type::OCI_INDEX.to_owned(), to_json(&index), ManifestKind::Index(index))
    }

    /// The manifests of an index; none of an image.
    pub fn children(&self) -> &[Descriptor] {
        match &self.kind {
            ManifestKind::Index(index) => &index.manifests,
            ManifestKind::Image(_) => &[],
        }
    }

    /// The manifest that this one is about.
    pub fn subject(&self) -> Option<&Descriptor> {
        match &self.kind {
            ManifestKind::Index(index) => index.subject.as_ref(),
            ManifestKind::Image(image) => image.subject.as_ref(),
        }
    }

    /// What this is if it is not an image: the artifact type, else the media type of its configuration.
    pub fn artifact_type(&self) -> Option<&str> {
        match &self.kind {
            ManifestKind::Index(index) => index.artifact_type.as_deref(),
            ManifestKind::Image(image) => {
                image.artifact_type.as_deref().or(Some(image.config.media_type.as_str()))
            }
        }
    }

    /// Free text by key.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        match &self.kind {
            ManifestKind::Index(index) => &index.annotations,
            ManifestKind::Image(image) => &image.annotations,
        }
    }

    /// Describes this manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest, self.raw.len() as u64)
    }

    fn written(media_type: String, raw: Bytes, kind: ManifestKind) -> Self {
        Self { media_type, digest: Digest::of(&raw), raw, kind }
    }
}

fn to_json<T: Serialize>(value: &T) -> Bytes {
    serde_json::to_vec(value).expect("maps have text keys, so writing to memory cannot fail").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"mediaType":"c","digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":3}"#;

    fn image(named: &str) -> String {
        format!(r#"{{"schemaVersion":2,{named}"config":{CONFIG},"layers":[],"unknown":1.50}}"#)
    }

    #[test]
    fn kinds_of_manifests() {
        let check = |given: &str, text: &str, expected: Result<&str, &str>| {
            let got = Manifest::parse(given, Bytes::from(text.to_owned()));
            if let Ok(manifest) = &got {
                assert_eq!(
                    (manifest.raw.as_ref(), manifest.digest),
                    (text.as_bytes(), Digest::of(text.as_bytes()))
                );
            }
            let got = got.map(|manifest| manifest.media_type).map_err(|error| error.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{given} {text}");
        };
        let own = format!(r#""mediaType":"{}","#, media_type::OCI_MANIFEST);
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        check(media_type::OCI_MANIFEST, &image(""), Ok(media_type::OCI_MANIFEST));
        check(media_type::DOCKER_MANIFEST, &image(""), Ok(media_type::DOCKER_MANIFEST));
        check(
            &format!("{}; charset=utf-8", media_type::OCI_MANIFEST),
            &image(&own),
            Ok(media_type::OCI_MANIFEST),
        );
        check("application/octet-stream", &image(&own), Ok(media_type::OCI_MANIFEST));
        check("", &image(&own), Ok(media_type::OCI_MANIFEST));
        check(media_type::DOCKER_INDEX, index, Ok(media_type::DOCKER_INDEX));
        check("", &image(""), Err("media type `` is not one of an image or index"));
        check("text/html", "<html>", Err("it is not a valid manifest"));
        check(media_type::OCI_INDEX, &image(""), Err("it is not a valid manifest"));
        check(media_type::OCI_MANIFEST, "", Err("it is not a valid manifest"));
        check(
            media_type::OCI_INDEX,
            &image(&own),
            Err(
                "it came as `application/vnd.oci.image.index.v1+json` but calls itself `application/vnd.oci.image.manifest.v1+json`",
            ),
        );
        let old = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        check(old, &image(""), Err(&format!("media type `{old}` is not one of an image or index")));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let config: Descriptor = serde_json::from_str(CONFIG).unwrap();
        let annotations =
            BTreeMap::from([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())]);
        let image = Manifest::of_image(ImageManifest::oci(config, Vec::new(), annotations));
        assert!(String::from_utf8_lossy(&image.raw).ends_with(r#""annotations":{"a":"1","b":"2"}}"#));
        assert_eq!(Manifest::parse(&image.media_type, image.raw.clone()).unwrap(), image);

        let mut child = image.descriptor();
        child.platform = Some(Platform { variant: Some("v8".to_owned()), ..Platform::linux_amd64() });
        let index = Manifest::of_index(vec![child], BTreeMap::new());
        let platform = r#""platform":{"architecture":"amd64","os":"linux","variant":"v8"}"#;
        assert!(String::from_utf8_lossy(&index.raw).contains(platform));
        assert_eq!(Manifest::parse("", index.raw.clone()).unwrap(), index);
    }
}
