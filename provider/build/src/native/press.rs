//! Makes layers: read, digested, compressed in one pass, and on their way to the registry while the next is made.
//!
//! A layer that was made before, of the same nodes by the same rules, comes out of the cache and nothing is read for it.
//! Neither is ever needed: a layer that is not remembered is made, and one that could not be sent is the push's affair.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use ecr_registry::{Blob, BlobSource, Departure, Descriptor, Digest, Registry, Repository, names::Digester};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    changes,
    file_system::{Content, Node},
    materials::Unpacked,
};
use crate::{
    build::Tools,
    build_error::BuildError,
    compress::{Layer, LayerWriter},
    recipe::{Compression, Recipe},
};

/// A smaller layer is sent as soon by the push, in bytes.
const WORTH_SENDING: u64 = 8 << 20;
/// How many layers are remembered, with a file of some hundred bytes for each.
const MOST: usize = 4096;

/// What makes the layers of one image.
pub(super) struct Press {
    compression: Compression,
    mtime: u64,
    records: Option<PathBuf>,
    blobs: Option<ecr_registry::Cache>,
    cancel: CancellationToken,
    ahead: Option<Ahead>,
}

/// Layers on their way. Those that are not there yet stop when this goes away.
#[derive(Debug)]
pub(crate) struct Ahead {
    registry: Registry,
    repository: Repository,
    departure: Departure,
    sending: JoinSet<()>,
}

impl Ahead {
    pub(crate) fn departure(&self) -> Departure {
        self.departure.clone()
    }

    /// Has to be called within the runtime.
    fn send(&mut self, blob: &Blob) {
        if blob.descriptor.size < WORTH_SENDING {
            return;
        }
        let (registry, repository, blob) = (self.registry.clone(), self.repository.clone(), blob.clone());
        let departure = self.departure();
        self.sending.spawn(async move {
            if let Err(error) = registry.push_blob(&departure, &repository, &blob).await {
                tracing::debug!(%error, "a layer was not sent ahead");
            }
        });
    }
}

impl Press {
    pub(super) fn new(recipe: &Recipe, tools: Tools<'_>) -> Self {
        let blobs = tools.registry.cache().cloned();
        let ahead = |repository: &Repository| Ahead {
            registry: tools.registry.clone(),
            repository: repository.clone(),
            departure: tools.registry.depart(),
            sending: JoinSet::new(),
        };
        Self {
            compression: recipe.compression,
            mtime: recipe.source_date_epoch,
            records: tools.cache.folder("layers").filter(|_| blobs.is_some()),
            blobs,
            cancel: tools.cancel.clone(),
            ahead: tools.destination.map(ahead),
        }
    }

    /// The layer with these nodes; a large one is a file in `scratch`.
    pub(super) fn layer(
        &mut self,
        nodes: &BTreeMap<String, Node>,
        unpacked: Option<&Unpacked>,
        scratch: &TempDir,
    ) -> Result<Layer, BuildError> {
        if self.cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        let key = self.key(nodes);
        let layer = if let Some(layer) = self.remembered(&key, scratch) {
            layer
        } else {
            let writer = LayerWriter::new(self.compression, scratch).map_err(BuildError::Scratch)?;
            let layer = changes::write(nodes, unpacked, self.mtime, writer)?;
            self.remember(&key, &layer);
            layer
        };
        if let Some(ahead) = &mut self.ahead {
            ahead.send(&layer.blob);
        }
        Ok(layer)
    }

    /// What has to stay until the image is pushed.
    pub(super) fn done(self) -> Option<Ahead> {
        self.ahead
    }

    /// Stands for all that decides about the layer's bytes.
    fn key(&self, nodes: &BTreeMap<String, Node>) -> Digest {
        let mut digester = Digester::new();
        let rules = format!("{} {} {}\n", env!("CARGO_PKG_VERSION"), self.compression.rules(), self.mtime);
        digester.update(rules.as_bytes());
        for (path, node) in nodes {
            let content = match &node.content {
                Content::Folder => "folder".to_owned(),
                Content::Link(target) => format!("link {target:?}"),
                Content::File(file) => format!("file {}", file.digest),
                Content::Text(text) => format!("file {}", Digest::of(text)),
                Content::Packed(packed) => format!("{packed:?}"),
                Content::Special => "special".to_owned(),
            };
            let (mode, owner, attributes) = (node.mode, node.owner, &node.attributes);
            digester.update(format!("{path:?} {content} {mode:o} {owner:?} {attributes:?}\n").as_bytes());
        }
        digester.finish()
    }

    fn remembered(&self, key: &Digest, scratch: &TempDir) -> Option<Layer> {
        let (records, blobs) = (self.records.as_ref()?, self.blobs.as_ref()?);
        let file = records.join(key.hex());
        let (diff_id, digest, size) = read(&file, key)?;
        let descriptor = Descriptor::new(self.compression.media_type(), digest, size);
        let to = scratch.path().join(digest.hex());
        if !to.exists() && !blobs.give(&descriptor, &to) {
            return None;
        }
        _ = fs::File::open(file).and_then(|file| file.set_modified(SystemTime::now())); // else it goes earlier
        Some(Layer { diff_id, blob: Blob { descriptor, source: BlobSource::File(to) } })
    }

    fn remember(&self, key: &Digest, layer: &Layer) {
        let (Some(records), Some(blobs)) = (&self.records, &self.blobs) else { return };
        blobs.take(&layer.blob);
        if let Err(error) = write(records, key, layer) {
            tracing::debug!(folder = %records.display(), %error, "a layer is not remembered");
        }
    }
}

/// The digest of the archive, and the digest and size of the blob.
fn read(file: &Path, key: &Digest) -> Option<(Digest, Digest, u64)> {
    let text = fs::read_to_string(file).ok()?;
    let mut words = text.split(' ');
    let (diff_id, digest) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let size = words.next()?.parse().ok()?;
    (text == record(key, &diff_id, &digest, size)).then_some((diff_id, digest, size))
}

/// What is written of a layer, with a digest over all of it: half a record is none.
fn record(key: &Digest, diff_id: &Digest, digest: &Digest, size: u64) -> String {
    let text = format!("{diff_id} {digest} {size} ");
    let sum = Digest::of(format!("{key} {text}").as_bytes());
    text + &sum.hex()
}

fn write(records: &Path, key: &Digest, layer: &Layer) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(records)?;
    let Descriptor { digest, size, .. } = &layer.blob.descriptor;
    let mut new = tempfile::NamedTempFile::new_in(records)?;
    new.write_all(record(key, &layer.diff_id, digest, *size).as_bytes())?;
    new.persist(records.join(key.hex()))?;
    let age = |entry: fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
    let mut all: Vec<_> = fs::read_dir(records)?.flatten().filter_map(age).collect();
    if all.len() > MOST {
        all.sort();
        // Some more, so that not every layer makes another one go.
        all[..all.len() - MOST + MOST / 10].iter().try_for_each(|(_, oldest)| fs::remove_file(oldest))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
