//! A manifest as ECR looks at it before it takes it in.

use std::collections::BTreeSet;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use crate::emulator::api::Scan;
use crate::emulator::refusal::Refusal;

/// What may be an image, and what may be a list of images.
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// What may describe something that is about an image.
const CONFIGS: [&str; 3] = [
    "application/vnd.oci.empty.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

/// A manifest that was taken in.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) bytes: Bytes,
    pub(crate) media_type: String,
    /// Configuration and layers.
    pub(crate) blobs: BTreeSet<String>,
    /// What an index lists.
    pub(crate) children: BTreeSet<String>,
    /// What it is about.
    pub(crate) subject: Option<String>,
    /// Its artifact type, or the type of its configuration.
    pub(crate) kind: Option<String>,
    pub(crate) annotations: Value,
    pub(crate) pushed: SystemTime,
    /// Whether it was copied to where the registry's configuration wants it, or came from there.
    pub(crate) copied: bool,
    /// Whether it was signed as the registry's configuration wants it.
    pub(crate) signed: bool,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`.
    pub(crate) status: &'static str,
    /// When its last scan began.
    pub(crate) scanned: Option<SystemTime>,
    /// How a scan ends.
    pub(crate) scan: Scan,
}

impl Manifest {
    /// Reads one, and refuses what ECR refuses. Where not strict, a manifest may leave it to the request to say what it is.
    pub(crate) fn parse(
        bytes: &Bytes,
        said: Option<&str>,
        strict: bool,
        now: SystemTime,
    ) -> Result<Self, Refusal> {
        let syntax = || Refusal::manifest("Invalid JSON syntax");
        let manifest: Value = serde_json::from_slice(bytes).map_err(|_| syntax())?;
        let media_type = manifest["mediaType"].as_str().or(said.filter(|_| !strict)).ok_or_else(syntax)?;
        if manifest["schemaVersion"].as_u64() != Some(2) || said.is_some_and(|said| said != media_type) {
            return Err(syntax());
        }
        let is_index = INDEXES.contains(&media_type);
        if !is_index && !IMAGES.contains(&media_type) {
            return Err(Refusal::manifest("Unsupported manifest media type"));
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (config, subject) = (&manifest["config"], text(&manifest["subject"]["digest"]));
        let artifact_type = text(&manifest["artifactType"]);
        let kind = config["mediaType"].as_str().unwrap_or_default();
        let odd = artifact_type.is_some() && subject.is_some() && !CONFIGS.contains(&kind) && !is_index;
        let list = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        let typed = [config, &manifest["artifactType"]]
            .into_iter()
            .chain(manifest["layers"].as_array().into_iter().flatten());
        let parametrized = typed.clone().any(|thing| {
            thing["mediaType"].as_str().or(thing.as_str()).is_some_and(|kind| kind.contains(';'))
        });
        if odd || parametrized || (!is_index && !config.is_object()) {
            return Err(syntax());
        }
        let digest = |descriptor: &Value| text(&descriptor["digest"]);
        let blobs = if is_index { Vec::new() } else { [vec![config.clone()], list("layers")].concat() };
        Ok(Self {
            bytes: bytes.clone(),
            media_type: media_type.to_owned(),
            // What a manifest says to be found elsewhere is no concern of this repository.
            blobs: blobs.iter().filter(|blob| blob["urls"].is_null()).filter_map(digest).collect(),
            children: list("manifests").iter().filter_map(digest).collect(),
            subject,
            kind: artifact_type.or(text(&config["mediaType"])),
            annotations: manifest["annotations"].clone(),
            pushed: now,
            copied: false,
            signed: false,
            status: "ACTIVE",
            scanned: None,
            scan: Scan::default(),
        })
    }

    /// Whether it can be had at once.
    pub(crate) fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}
