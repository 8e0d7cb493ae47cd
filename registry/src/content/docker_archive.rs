//! Archives as `docker save` writes them and `docker load` reads them: a tar with `manifest.json`, and for each
//! image its configuration and layers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Blob, BlobSource, Descriptor, Image, ImageConfig, ImageManifest, LocalError, LocalProblem, Manifest,
    local::{Checked, copy_checked, reader},
    media_type::{self, Compression},
    tar_index::{Span, TarIndex},
};
use crate::names::{Digest, Digester, Reference};

/// An archive in the form of `docker save`, read where it lies: layers are not unpacked.
#[derive(Debug)]
pub struct DockerArchive {
    path: PathBuf,
    tar: TarIndex,
    items: Vec<Item>,
}

/// An image in `manifest.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

const MANIFEST: &str = "manifest.json";
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;
const MAX_CONFIG: u64 = 8 * 1024 * 1024;

impl DockerArchive {
    /// Opens an archive and reads what is in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LocalError> {
        let path = path.into();
        let opened = TarIndex::read(&path).and_then(|tar| {
            let text = read_small(&path, &tar, MANIFEST, MAX_MANIFEST)?;
            let items = serde_json::from_slice(&text);
            let items = items.map_err(|cause| json(MANIFEST, cause))?;
            Ok((tar, items))
        });
        match opened {
            Ok((tar, items)) => Ok(Self { path, tar, items }),
            Err(problem) => Err(LocalError::new(path, problem)),
        }
    }

    /// The names of the images, those of one image after the other.
    pub fn names(&self) -> Vec<String> {
        self.items.iter().flat_map(|item| item.repo_tags.clone().unwrap_or_default()).collect()
    }

    /// The image of this name, as `debian:12`; without a name the only one.
    ///
    /// Its layers are read once to learn their digests. A layer that is not compressed is checked against the
    /// configuration; of a compressed one that is left to whoever unpacks it.
    pub fn image(&self, name: Option<&str>) -> Result<Image, LocalError> {
        let image = self.item(name).and_then(|item| self.read(item));
        image.map_err(|problem| LocalError::new(&self.path, problem))
    }

    fn item(&self, name: Option<&str>) -> Result<&Item, LocalProblem> {
        match (name, self.items.as_slice()) {
            (None, [item]) => Ok(item),
            (None, []) => Err(LocalProblem::Missing(format!("image in {MANIFEST}"))),
            (None, _) => Err(LocalProblem::NotNamed(self.names())),
            (Some(name), items) => {
                let has_it = |item: &&Item| item.repo_tags.iter().flatten().any(|tag| is_same(tag, name));
                let found = items.iter().find(has_it);
                found.ok_or_else(|| LocalProblem::NoSuchImage { name: name.to_owned(), known: self.names() })
            }
        }
    }

    fn read(&self, item: &Item) -> Result<Image, LocalProblem> {
        let raw = Bytes::from(read_small(&self.path, &self.tar, &item.config, MAX_CONFIG)?);
        let config: ImageConfig = serde_json::from_slice(&raw).map_err(|cause| json(&item.config, cause))?;
        if config.rootfs.diff_ids.len() != item.layers.len() {
            let problem = "has not as many layers as the archive";
            return Err(LocalProblem::Entry { name: item.config.clone(), problem });
        }
        let layers = item.layers.iter().zip(&config.rootfs.diff_ids);
        let layers: Result<Vec<Blob>, _> = layers.map(|(name, diff_id)| self.layer(name, *diff_id)).collect();
        let (layers, config) = (layers?, Blob::of_bytes(media_type::OCI_CONFIG, raw));
        let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
        let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
        Ok(Image { manifest: Manifest::of_image(manifest), config, layers })
    }

    fn layer(&self, name: &str, diff_id: Digest) -> Result<Blob, LocalProblem> {
        let Span { offset, size } = self.tar.find(name)?;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut content = BufReader::with_capacity(1 << 20, file.take(size));
        let compression = Compression::of_content(io::BufRead::fill_buf(&mut content)?);
        let mut checked = Checked { to: &mut io::sink(), digester: Digester::new() };
        io::copy(&mut content, &mut checked)?;
        let actual = checked.digester.finish();
        if compression == Compression::None && actual != diff_id {
            return Err(LocalProblem::Digest { name: name.to_owned(), expected: diff_id, actual });
        }
        let descriptor = Descriptor::new(media_type::layer(compression), actual, size);
        Ok(Blob { descriptor, source: BlobSource::Part { file: self.path.clone(), offset } })
    }
}

/// `debian:12` and `docker.io/library/debian:12` are the same.
fn is_same(one: &str, other: &str) -> bool {
    let parsed = |text: &str| text.parse::<Reference>().ok();
    one == other || parsed(one).is_some_and(|one| Some(one) == parsed(other))
}

fn read_small(path: &Path, tar: &TarIndex, name: &str, limit: u64) -> Result<Vec<u8>, LocalProblem> {
    let Span { offset, size } = tar.find(name)?;
    if size > limit {
        return Err(LocalProblem::TooLarge { name: name.to_owned(), limit });
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn json(file: &str, cause: serde_json::Error) -> LocalProblem {
    LocalProblem::Json { file: file.to_owned(), cause: Arc::new(cause) }
}

/// Writes images, each with its names, in the form that `docker load` reads. Equal images give equal bytes. Layers
/// go in as they are; docker takes those compressed with gzip, and newer ones those with zstd.
pub fn write_docker_archive(images: &[(Image, Vec<Reference>)], to: impl Write) -> Result<(), LocalProblem> {
    let mut archive = tar::Builder::new(to);
    let (mut written, mut items) = (BTreeSet::new(), Vec::new());
    for (image, names) in images {
        let name_of = |blob: &Blob, ending: &str| format!("{}{ending}", blob.descriptor.digest.hex());
        let config = (name_of(&image.config, ".json"), &image.config);
        let layers = image.layers.iter().map(|layer| (name_of(layer, ending(layer)), layer));
        let layers: Vec<(String, &Blob)> = layers.collect();
        for (name, blob) in layers.iter().chain([&config]) {
            if written.insert(name.clone()) {
                append(&mut archive, name, blob)?;
            }
        }
        let repo_tags = Some(names.iter().map(ToString::to_string).collect());
        items.push(Item {
            config: config.0,
            repo_tags,
            layers: layers.into_iter().map(|(name, _)| name).collect(),
        });
    }
    let text = serde_json::to_vec(&items).map_err(|cause| json(MANIFEST, cause))?;
    append(&mut archive, MANIFEST, &Blob::of_bytes("", text.into()))?;
    Ok(archive.into_inner()?.flush()?)
}

fn ending(layer: &Blob) -> &'static str {
    match media_type::compression(&layer.descriptor.media_type) {
        Some(Compression::Gzip) => ".tar.gz",
        Some(Compression::Zstd) => ".tar.zst",
        Some(Compression::None) | None => ".tar",
    }
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, blob: &Blob) -> Result<(), LocalProblem> {
    let size = blob.descriptor.size;
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    let to = archive.get_mut();
    to.write_all(header.as_bytes())?;
    copy_checked(&mut reader(blob)?, to, &blob.descriptor)?;
    let padding = usize::try_from(size.next_multiple_of(512) - size).unwrap_or_default();
    Ok(to.write_all(&[0; 512][..padding])?)
}

#[cfg(test)]
mod tests;
