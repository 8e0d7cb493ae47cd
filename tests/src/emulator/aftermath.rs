//! What ECR does on its own a moment after a push: copies to other registries, and signatures.
//!
//! Nothing runs for it: it is made up for whenever somebody looks. Source: "Private image replication" and "Managed
//! signing" in ECR's user guide.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::{Value, json};

use super::State;
use super::store::blob::Blob;
use super::store::{Incoming, Manifest, REPLICATION, Registry, Repository, SIGNING, matches};
use crate::ecr::Scope;
use crate::ecr::images::digest_of;

/// How long it takes.
pub(super) const MOMENT: Duration = Duration::from_secs(1);
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const SIGNATURE: &str = "application/vnd.cncf.notary.signature";

/// An image on its way to another registry.
struct Copy {
    to: Scope,
    repository: String,
    manifest: Bytes,
    tags: Vec<String>,
    blobs: Vec<(String, Arc<Blob>)>,
}

impl State {
    /// Does what is due by now.
    pub(super) fn settle(&mut self, now: SystemTime) {
        for copy in
            self.registries.values_mut().flat_map(|registry| copies(registry, now)).collect::<Vec<_>>()
        {
            if let Some(to) = self.registries.get_mut(&copy.to) {
                arrive(to, &copy, now);
            }
        }
        self.registries.values_mut().for_each(|registry| sign(registry, now));
    }
}

/// The rules of a configuration that are about a repository: those without filters are about all.
pub(super) fn rules<'a>(
    configuration: Option<&'a Value>,
    repository: &'a str,
) -> impl Iterator<Item = &'a Value> {
    let rules = configuration.and_then(|configuration| configuration["rules"].as_array());
    rules.into_iter().flatten().filter(move |rule| {
        let fits = |filter: &Value| {
            let pattern = filter["filter"].as_str().unwrap_or_default();
            let is_prefix = filter["filterType"] == "PREFIX_MATCH";
            if is_prefix { repository.starts_with(pattern) } else { matches(pattern, repository) }
        };
        rule["repositoryFilters"].as_array().is_none_or(|filters| filters.iter().any(fits))
    })
}

/// Whether a moment has passed since the push.
fn is_due(manifest: &Manifest, now: SystemTime) -> bool {
    now.duration_since(manifest.pushed).is_ok_and(|age| age >= MOMENT)
}

/// What is to be copied by now: each image once, what an index lists before it.
fn copies(registry: &mut Registry, now: SystemTime) -> Vec<Copy> {
    let Some((configuration, since)) = registry.configured(REPLICATION) else { return Vec::new() };
    let mut copies = Vec::new();
    for repository in registry.repositories.values_mut() {
        let destinations = rules(Some(&configuration), &repository.name);
        let destinations = destinations.filter_map(|rule| rule["destinations"].as_array()).flatten();
        let destinations: Vec<_> = destinations.filter_map(scope).collect();
        let due = |manifest: &Manifest| !manifest.copied && manifest.pushed >= since && is_due(manifest, now);
        let due = repository.manifests.iter().filter(|(_, manifest)| due(manifest));
        let mut due: Vec<_> =
            due.map(|(digest, manifest)| (!manifest.children.is_empty(), digest.clone())).collect();
        due.sort_unstable();
        for (_, digest) in due {
            copies.extend(destinations.iter().map(|to| copy(repository, &digest, to.clone())));
            repository.manifests.entry(digest).and_modify(|manifest| manifest.copied = true);
        }
    }
    copies
}

fn scope(destination: &Value) -> Option<Scope> {
    let text = |name: &str| destination[name].as_str().map(str::to_owned);
    Some(Scope { account: text("registryId")?, region: text("region")? })
}

fn copy(repository: &Repository, digest: &str, to: Scope) -> Copy {
    let manifest = &repository.manifests[digest];
    let blob = |digest: &String| Some((digest.clone(), Arc::clone(repository.blobs.get(digest)?)));
    Copy {
        to,
        repository: repository.name.clone(),
        manifest: manifest.bytes.clone(),
        tags: repository.tags_of(digest),
        blobs: manifest.blobs.iter().filter_map(blob).collect(),
    }
}

/// The repository is made where there is none. A tag that is there and may not move stays, and the copy without it.
/// What arrived goes no further.
fn arrive(registry: &mut Registry, copy: &Copy, now: SystemTime) {
    let Ok(repository) = registry.for_copy(&copy.repository, now) else { return };
    repository.blobs.extend(copy.blobs.iter().cloned());
    let tags = copy.tags.iter().map(|tag| Some(tag.as_str()));
    for tag in std::iter::once(None).chain(tags) {
        let incoming = Incoming { bytes: copy.manifest.clone(), media_type: None, tag, digest: None };
        if let Ok((digest, _)) = repository.put(&incoming, false, now) {
            repository.manifests.entry(digest).and_modify(|manifest| manifest.copied = true);
        }
    }
}

/// What is to be signed by now gets a signature for each rule.
fn sign(registry: &mut Registry, now: SystemTime) {
    let Some((configuration, since)) = registry.configured(SIGNING) else { return };
    for repository in registry.repositories.values_mut() {
        let name = repository.name.clone();
        let due = |manifest: &Manifest| {
            !manifest.signed
                && manifest.subject.is_none()
                && manifest.pushed >= since
                && is_due(manifest, now)
        };
        let due = repository.manifests.iter().filter(|(_, manifest)| due(manifest));
        for digest in due.map(|(digest, _)| digest.clone()).collect::<Vec<_>>() {
            for rule in rules(Some(&configuration), &name) {
                add_signature(repository, &digest, &rule["signingProfileArn"], now);
            }
            repository.manifests.entry(digest).and_modify(|manifest| manifest.signed = true);
        }
    }
}

fn add_signature(repository: &mut Repository, digest: &str, profile: &Value, now: SystemTime) {
    let subject = &repository.manifests[digest];
    let subject = json!({ "mediaType": subject.media_type, "digest": digest, "size": subject.bytes.len() });
    let envelope = json!({ "payload": { "targetArtifact": subject }, "profile": profile }).to_string();
    let mut keep = |kind: &str, bytes: Bytes| {
        let (digest, size) = (digest_of(&bytes), bytes.len());
        repository.blobs.insert(digest.clone(), Arc::new(Blob::of(bytes)));
        json!({ "mediaType": kind, "digest": digest, "size": size })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "artifactType": SIGNATURE,
        "config": keep("application/vnd.oci.empty.v1+json", Bytes::from_static(b"{}")),
        "layers": [keep("application/jose+json", envelope.into())],
        "subject": subject,
    });
    let bytes = manifest.to_string().into();
    let incoming = Incoming { bytes, media_type: None, tag: None, digest: None };
    _ = repository.put(&incoming, true, now); // all it names was put there just now
}
