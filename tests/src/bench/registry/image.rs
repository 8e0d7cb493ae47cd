//! The images that are sent: OCI layouts of layers that nothing can make smaller.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::process::{LONG, run};

pub(super) const MIB: u64 = 1024 * 1024;
pub(in crate::bench) const TAG: &str = "v1";

/// What many images share, and what each has of its own.
const BASE: u64 = 8 * MIB;
const OWN: u64 = 64 * 1024;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many layers of so many bytes.
    Layers(usize, u64),
    /// So many images, each with a layer of its own over the ones that all have.
    Images(usize),
    /// One layer of so many zeros, which take no room on a disk.
    Sparse(u64),
}

impl Shape {
    /// How long the largest layer is.
    pub(super) fn layer(self) -> u64 {
        match self {
            Self::Layers(_, size) | Self::Sparse(size) => size,
            Self::Images(_) => BASE,
        }
    }

    /// How long all layers are together.
    pub(super) fn size(self) -> u64 {
        match self {
            Self::Layers(count, size) => count as u64 * size,
            Self::Images(count) => BASE + count as u64 * OWN,
            Self::Sparse(size) => size,
        }
    }
}

/// A layout on disk.
pub(in crate::bench) struct Images {
    /// The layout with all images.
    pub(super) root: PathBuf,
    /// The names of the images in it.
    pub(super) tags: Vec<String>,
    /// The blobs of the first one, the configuration last.
    pub(super) blobs: Vec<(PathBuf, String)>,
    /// The digest of the first one's manifest.
    pub(super) digest: String,
}

impl Images {
    /// Writes a layout below the folder.
    pub(super) fn write(folder: &Path, shape: Shape) -> Result<Self> {
        let root = begin(folder)?;
        let layers = match shape {
            Shape::Layers(count, size) => {
                (0..count).map(|_| random_layer(&root, size)).collect::<Result<_>>()?
            }
            Shape::Images(_) => vec![random_layer(&root, BASE)?],
            Shape::Sparse(size) => vec![sparse_layer(&root, size)?],
        };
        Self::of_layers(folder, &layers, if let Shape::Images(count) = shape { count } else { 1 })
    }

    /// Writes a layout with an image of this archive, which goes into it.
    pub(in crate::bench) fn of_archive(folder: &Path, archive: &Path) -> Result<Self> {
        let layer = keep(&begin(folder)?, archive, LAYER)?;
        Self::of_layers(folder, &[layer], 1)
    }

    fn of_layers(folder: &Path, layers: &[Value], count: usize) -> Result<Self> {
        let (root, mut entries) = (folder.join("all"), Vec::new());
        for number in 0..count {
            let mut layers = layers.to_vec();
            if count > 1 {
                layers.push(random_layer(&root, OWN)?);
            }
            let tag = if count > 1 { format!("{TAG}-{number}") } else { TAG.to_owned() };
            let entry = image(&root, &layers, &tag)?;
            if count > 1 {
                single(folder, &tag, &entry)?;
            }
            entries.push(entry);
        }
        index(&root, &entries)?;
        let tags = entries.iter().map(|entry| tag(entry).to_owned()).collect();
        let digest = text(&entries[0], "digest").to_owned();
        let manifest = json_file(&blob(&root, &digest))?;
        let parts = list(&manifest, "layers").chain([&manifest["config"]]);
        let blobs = parts.map(|part| text(part, "digest").to_owned());
        let blobs = blobs.map(|digest| (blob(&root, &digest), digest)).collect();
        Ok(Self { root, tags, blobs, digest })
    }
}

impl Images {
    /// All images as `docker load` takes them.
    pub(super) fn docker_archive(&self, repository: &str, to: &mut dyn Write) -> Result<()> {
        let mut archive = tar::Builder::new(to);
        let (mut images, mut packed) = (Vec::new(), BTreeSet::new());
        let index = json_file(&self.root.join("index.json"))?;
        for entry in list(&index, "manifests") {
            let manifest = json_file(&blob(&self.root, text(entry, "digest")))?;
            let layers: Vec<_> = list(&manifest, "layers").map(|layer| text(layer, "digest")).collect();
            let config = text(&manifest["config"], "digest");
            for digest in layers.iter().copied().chain([config]) {
                if packed.insert(digest.to_owned()) {
                    archive.append_path_with_name(blob(&self.root, digest), digest)?;
                }
            }
            let name = format!("{repository}:{}", tag(entry));
            images.push(json!({ "Config": config, "RepoTags": [name], "Layers": layers }));
        }
        let images = serde_json::to_vec(&images)?;
        let mut header = tar::Header::new_ustar();
        header.set_size(images.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, "manifest.json", images.as_slice())?;
        Ok(archive.finish()?)
    }
}

fn json_file(path: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// A layout with nothing in it.
fn begin(folder: &Path) -> Result<PathBuf> {
    let root = folder.join("all");
    fs::create_dir_all(root.join("blobs/sha256"))?;
    fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(root)
}

/// A tar file with one file of random bytes, which needs no compression to be as long as it is.
fn random_layer(root: &Path, size: u64) -> Result<Value> {
    let path = root.join("layer");
    let mut archive = tar::Builder::new(File::create(&path)?);
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    let random = File::open("/dev/urandom")?.take(size);
    archive.append_data(&mut header, format!("data-{size}"), random)?;
    archive.into_inner()?.flush()?;
    keep(root, &path, LAYER)
}

fn sparse_layer(root: &Path, size: u64) -> Result<Value> {
    let path = root.join("layer");
    File::create(&path)?.set_len(size)?;
    keep(root, &path, LAYER)
}

/// Gives a file its name as a blob, and its descriptor.
fn keep(root: &Path, path: &Path, kind: &str) -> Result<Value> {
    let said = run(Command::new("sha256sum").arg("--binary").arg(path), LONG)?;
    let hex = said.split_whitespace().next().context("sha256sum gives a digest")?;
    let digest = format!("sha256:{hex}");
    let size = fs::metadata(path)?.len();
    fs::rename(path, blob(root, &digest))?;
    Ok(json!({ "mediaType": kind, "digest": digest, "size": size }))
}

fn keep_json(root: &Path, value: &Value, kind: &str) -> Result<Value> {
    let path = root.join("document");
    fs::write(&path, serde_json::to_vec(value)?)?;
    keep(root, &path, kind)
}

/// Writes configuration and manifest, and gives the image's entry in an index.
fn image(root: &Path, layers: &[Value], tag: &str) -> Result<Value> {
    let ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    let rootfs = json!({ "type": "layers", "diff_ids": ids });
    let config = json!({ "architecture": "amd64", "os": "linux", "config": { "Labels": { "tag": tag } }, "rootfs": rootfs });
    let config = keep_json(root, &config, CONFIG)?;
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
    let mut entry = keep_json(root, &manifest, MANIFEST)?;
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    Ok(entry)
}

fn index(root: &Path, entries: &[Value]) -> Result<()> {
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": entries });
    Ok(fs::write(root.join("index.json"), serde_json::to_vec(&index)?)?)
}

/// A layout with this image alone, and the blobs of all.
fn single(folder: &Path, tag: &str, entry: &Value) -> Result<()> {
    let root = folder.join(tag);
    fs::create_dir(&root)?;
    fs::copy(folder.join("all/oci-layout"), root.join("oci-layout"))?;
    symlink(folder.join("all/blobs"), root.join("blobs"))?;
    index(&root, std::slice::from_ref(entry))
}

fn blob(root: &Path, digest: &str) -> PathBuf {
    root.join("blobs").join(digest.replace(':', "/"))
}

fn tag(entry: &Value) -> &str {
    text(&entry["annotations"], "org.opencontainers.image.ref.name")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_what_they_name() {
        for (shape, images, blobs) in
            [(Shape::Layers(3, 1000), 1, 4), (Shape::Images(2), 2, 3), (Shape::Sparse(MIB), 1, 2)]
        {
            let folder = tempfile::tempdir().unwrap();
            let written = Images::write(folder.path(), shape).unwrap();
            assert_eq!((written.tags.len(), written.blobs.len()), (images, blobs), "{shape:?}");
            assert!(written.blobs.iter().all(|(path, _)| path.is_file()));
            let single = if images == 1 { "all" } else { &written.tags[0] };
            assert!(folder.path().join(single).join("index.json").is_file());
            assert!(blob(&written.root, &written.digest).is_file());
        }
    }
}
