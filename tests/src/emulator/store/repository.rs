//! One repository: its settings, images, tags and blobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use super::blob::Blob;
use super::image::Manifest;
use super::mutability::may_move;
use crate::ecr::images::{Deletion, Image, ImageId, delete, find};
use crate::ecr::{Scope, images};
use crate::emulator::clock::seconds;
use crate::emulator::refusal::Refusal;

/// ECR's limit: `ImageManifest` of the API model.
pub(crate) const MAX_MANIFEST: usize = 4_194_304;

#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    /// As `DescribeRepositories` shows it.
    pub(crate) settings: Value,
    /// Lifecycle policy, repository policy and the like, each the text that was put.
    pub(crate) documents: BTreeMap<&'static str, String>,
    pub(crate) resource_tags: BTreeMap<String, String>,
    pub(crate) blobs: BTreeMap<String, Arc<Blob>>,
    pub(crate) manifests: BTreeMap<String, Manifest>,
    /// Tag to digest.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) preview: Option<Preview>,
}

/// What a lifecycle policy would do, known some time after it was asked for.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) text: String,
    pub(crate) begun: SystemTime,
    pub(crate) results: Vec<Value>,
}

/// A manifest on its way in.
pub(crate) struct Incoming<'a> {
    pub(crate) bytes: Bytes,
    /// What the request says it is.
    pub(crate) media_type: Option<&'a str>,
    pub(crate) tag: Option<&'a str>,
    /// The digest it must have.
    pub(crate) digest: Option<&'a str>,
}

impl Repository {
    pub(crate) fn new(scope: Scope, name: &str, input: &Value, now: SystemTime) -> Result<Self, Refusal> {
        if !is_name(name) {
            return Err(Refusal::parameter("repositoryName", "must satisfy the pattern of repository names"));
        }
        let or = |name: &str, default: Value| {
            Some(input[name].clone()).filter(|v| !v.is_null()).unwrap_or(default)
        };
        let mut settings = json!({
            "repositoryArn": scope.repository_arn(name),
            "registryId": scope.account,
            "repositoryName": name,
            "repositoryUri": format!("{}/{name}", scope.host()),
            "createdAt": seconds(now),
            "imageTagMutability": or("imageTagMutability", json!("MUTABLE")),
            "imageScanningConfiguration": or("imageScanningConfiguration", json!({ "scanOnPush": false })),
            "encryptionConfiguration": or("encryptionConfiguration", json!({ "encryptionType": "AES256" })),
        });
        if let filters @ Value::Array(_) = &input["imageTagMutabilityExclusionFilters"] {
            settings["imageTagMutabilityExclusionFilters"] = filters.clone();
        }
        let tags = input.get("tags").or(input.get("resourceTags")).and_then(Value::as_array);
        let resource_tags = tags.map(|tags| resource_tags(tags).collect()).unwrap_or_default();
        let document = |field: &str, name| Some((name, input[field].as_str()?.to_owned()));
        let documents = [document("lifecyclePolicy", "lifecycle"), document("repositoryPolicy", "policy")];
        Ok(Self {
            scope,
            name: name.to_owned(),
            settings,
            documents: documents.into_iter().flatten().collect(),
            resource_tags,
            blobs: BTreeMap::new(),
            manifests: BTreeMap::new(),
            tags: BTreeMap::new(),
            preview: None,
        })
    }

    /// Whether an image here is made of the blob.
    pub(crate) fn is_used(&self, digest: &str) -> bool {
        self.manifests.values().any(|manifest| manifest.blobs.contains(digest))
    }

    /// Whether all images that have the blob are archived.
    pub(crate) fn is_archived(&self, digest: &str) -> bool {
        let mut users = self.manifests.values().filter(|manifest| manifest.blobs.contains(digest)).peekable();
        users.peek().is_some() && users.all(|manifest| !manifest.is_active())
    }

    /// Removes the blobs that no image has; ECR may do so at any time.
    pub(crate) fn sweep(&mut self) {
        let used: BTreeSet<_> = self.manifests.values().flat_map(|manifest| manifest.blobs.clone()).collect();
        self.blobs.retain(|digest, _| used.contains(digest));
    }

    /// The digest that a tag or digest names.
    pub(crate) fn digest_of<'a>(&'a self, version: &'a str) -> Option<&'a str> {
        let digest = if version.contains(':') { version } else { self.tags.get(version)? };
        self.manifests.get(digest)?.is_active().then_some(digest)
    }

    /// Takes a manifest in; its digest, and whether anything changed.
    pub(crate) fn put(
        &mut self,
        incoming: &Incoming<'_>,
        strict: bool,
        now: SystemTime,
    ) -> Result<(String, bool), Refusal> {
        if incoming.bytes.len() > MAX_MANIFEST {
            return Err(Refusal::manifest("Member must have length less than or equal to 4194304"));
        }
        let manifest = Manifest::parse(&incoming.bytes, incoming.media_type, strict, now)?;
        let digest = images::digest_of(&incoming.bytes);
        if incoming.digest.is_some_and(|asked| asked != digest) {
            return Err(Refusal::other_digest(incoming.digest.unwrap_or_default(), self));
        }
        self.has_all(&manifest)?;
        let there = self.manifests.contains_key(&digest);
        let Some(tag) = incoming.tag else {
            self.manifests.entry(digest.clone()).or_insert(manifest);
            return Ok((digest, !there));
        };
        let before = self.tags.get(tag);
        // Even the digest that it has already: ECR compares no digests here.
        if before.is_some() && !may_move(&self.settings, tag) {
            return Err(Refusal::immutable(tag, &self.name));
        }
        let changed = !there || before.is_none_or(|before| *before != digest);
        self.manifests.entry(digest.clone()).or_insert(manifest);
        self.tags.insert(tag.to_owned(), digest.clone());
        Ok((digest, changed))
    }

    /// Everything that a manifest names has to be here before it.
    fn has_all(&self, manifest: &Manifest) -> Result<(), Refusal> {
        let lacks = |digests: &BTreeSet<String>, has: &dyn Fn(&String) -> bool| -> Vec<String> {
            digests.iter().filter(|digest| !has(digest)).cloned().collect()
        };
        let layers = lacks(&manifest.blobs, &|digest| self.blobs.contains_key(digest));
        if !layers.is_empty() {
            return Err(Refusal::missing("LayersNotFoundException", "Layers", &layers, self));
        }
        let images = lacks(&manifest.children, &|digest| self.manifests.contains_key(digest));
        if !images.is_empty() {
            return Err(Refusal::missing("ReferencedImagesNotFoundException", "Images", &images, self));
        }
        Ok(())
    }

    /// The tags of a digest.
    pub(crate) fn tags_of(&self, digest: &str) -> Vec<String> {
        self.tags.iter().filter(|(_, named)| *named == digest).map(|(tag, _)| tag.clone()).collect()
    }

    /// The images as `DescribeImages` shows them.
    pub(crate) fn images(&self) -> Vec<Image> {
        self.manifests.iter().map(|(digest, manifest)| self.image(digest, manifest)).collect()
    }

    fn image(&self, digest: &str, manifest: &Manifest) -> Image {
        let layer = |digest: &String| self.blobs.get(digest).map_or(0, |blob| blob.size);
        let mut rest = json!({
            "registryId": self.scope.account,
            "repositoryName": self.name,
            "imageSizeInBytes": manifest.bytes.len() as u64 + manifest.blobs.iter().map(layer).sum::<u64>(),
            "imagePushedAt": seconds(manifest.pushed),
            "imageManifestMediaType": manifest.media_type,
            "imageStatus": manifest.status,
        });
        for (name, value) in
            [("artifactMediaType", &manifest.kind), ("subjectManifestDigest", &manifest.subject)]
        {
            if let Some(value) = value {
                rest[name] = json!(value);
            }
        }
        Image::new(digest, self.tags_of(digest), rest)
    }

    /// Descriptors of what is about a digest.
    pub(crate) fn referrers(&self, digest: &str) -> Vec<Value> {
        let about = self.manifests.iter().filter(|(_, manifest)| manifest.subject.as_deref() == Some(digest));
        let descriptor = |(digest, manifest): (&String, &Manifest)| {
            let mut descriptor = json!({
                "mediaType": manifest.media_type,
                "digest": digest,
                "size": manifest.bytes.len(),
                "artifactType": manifest.kind,
            });
            if manifest.annotations.is_object() {
                descriptor["annotations"] = manifest.annotations.clone();
            }
            descriptor
        };
        about.map(descriptor).collect()
    }

    /// Deletes what is asked for; an image goes with its last tag, and never while an index has it.
    pub(crate) fn delete(&mut self, asked: &[ImageId]) -> Value {
        let images = self.images();
        let Deletion { mut answer, kept, gone } = delete(&images, asked);
        let stays = |digest: &String| {
            let holds = |(holder, index): (&String, &Manifest)| {
                !gone.contains(holder) && index.children.contains(digest)
            };
            self.manifests.iter().any(holds)
        };
        let (held, gone): (BTreeSet<_>, BTreeSet<_>) = gone.iter().cloned().partition(stays);
        for digest in &gone {
            self.manifests.remove(digest);
        }
        self.tags.retain(|tag, digest| {
            !gone.contains(digest) && kept.get(digest).is_none_or(|left| left.contains(tag))
        });
        refuse_held(&mut answer, &held, asked, &images);
        answer
    }
}

/// An image that an index has is a failure, not a deletion.
fn refuse_held(answer: &mut Value, held: &BTreeSet<String>, asked: &[ImageId], images: &[Image]) {
    let is_held = |digest: &str| held.contains(digest);
    if let Some(deleted) = answer["imageIds"].as_array_mut() {
        deleted.retain(|id| !is_held(id["imageDigest"].as_str().unwrap_or_default()));
    }
    let refused = asked.iter().filter(|id| find(images, id).is_some_and(|image| is_held(&image.digest)));
    let failures = refused.map(|id| {
        let reason = "Requested image referenced by manifest list";
        json!({ "imageId": id, "failureCode": "ImageReferencedByManifestList", "failureReason": reason })
    });
    if let Some(list) = answer["failures"].as_array_mut() {
        list.extend(failures);
    }
}

/// Tags of resources as the API writes them.
pub(crate) fn resource_tags(tags: &[Value]) -> impl Iterator<Item = (String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    tags.iter().filter_map(move |tag| text(&tag["Key"]).zip(text(&tag["Value"])))
}

/// Source: the pattern of `RepositoryName` in ECR's API model.
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &str| {
        let ends = [part.bytes().next(), part.bytes().last()];
        ends.iter().all(|end| end.is_some_and(inner))
            && part.bytes().all(|byte| inner(byte) || matches!(byte, b'.' | b'_' | b'-'))
    };
    (2..=256).contains(&name.len()) && name.split('/').all(part)
}
