use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{
    Blob, BlobSource, Descriptor, Image, ImageIndex, ImageManifest, LocalError, LocalProblem, Manifest,
    ManifestKind, Tree, Wanted,
    local::{copy_checked, hash_file, reader},
    tree::{Grower, Selected},
};
use crate::names::Digest;

/// A folder in the OCI image layout: `oci-layout`, `index.json`, and the content under `blobs/sha256`.
///
/// What is read is checked: manifests against their digests, blobs against their lengths ([`Self::verify`] checks
/// their digests too). What is written appears whole or not at all, so that several programs may write at once;
/// a name in `index.json` is its last writer's.
///
/// Source: image-spec, `image-layout.md`.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
    index: ImageIndex,
}

/// Names an image in `index.json`.
const NAME: &str = "org.opencontainers.image.ref.name";
const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens a layout that is there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, LocalError> {
        let root = root.into();
        match read_index(&root) {
            Ok(index) => Ok(Self { root, index }),
            Err(problem) => Err(LocalError::new(root, problem)),
        }
    }

    /// Opens the layout of this folder, which is made if there is none.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, LocalError> {
        let layout = Self { root: root.into(), index: ImageIndex::default() };
        layout.found().map_err(|problem| layout.error(problem))?;
        Self::open(layout.root)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What `index.json` says.
    pub fn index(&self) -> &ImageIndex {
        &self.index
    }

    /// The names of its images.
    pub fn names(&self) -> Vec<String> {
        let names = self.index.manifests.iter().filter_map(|entry| entry.annotations.get(NAME));
        names.cloned().collect()
    }

    /// The image of this name, a tag or a whole reference as the layout's writer had it; without a name the only
    /// one.
    pub fn find(&self, name: Option<&str>) -> Result<&Descriptor, LocalError> {
        let entries = &self.index.manifests;
        let found = match name {
            Some(name) => {
                let found =
                    entries.iter().find(|entry| entry.annotations.get(NAME).is_some_and(|n| n == name));
                found.ok_or_else(|| LocalProblem::NoSuchImage { name: name.to_owned(), known: self.names() })
            }
            None => match entries.as_slice() {
                [] => Err(LocalProblem::Missing(format!("image in {INDEX}"))),
                [entry, others @ ..] if others.iter().all(|other| other.digest == entry.digest) => Ok(entry),
                _ => Err(LocalProblem::NotNamed(self.names())),
            },
        };
        found.map_err(|problem| self.error(problem))
    }

    /// A manifest or index, checked.
    pub fn manifest(&self, entry: &Descriptor) -> Result<Manifest, LocalError> {
        self.read_manifest(entry).map_err(|problem| self.error(problem))
    }

    /// The image or index with all it names, ready to be pushed from here. Blobs are not read yet.
    pub fn tree(&self, entry: &Descriptor, wanted: &Wanted) -> Result<Tree, LocalError> {
        let mut grower = Grower::default();
        let root = self.grow(&mut grower, entry, wanted, 0);
        root.map(|root| grower.done(root)).map_err(|problem| self.error(problem))
    }

    /// Reads all that an image or index names, and checks every digest.
    pub fn verify(&self, entry: &Descriptor) -> Result<(), LocalError> {
        let tree = self.tree(entry, &Wanted::All)?;
        for blob in tree.images.iter().flat_map(Image::blobs) {
            let path = self.blob_path(&blob.descriptor.digest);
            let checked = hash_file(&path, &blob.descriptor);
            checked.map_err(|problem| self.error(problem))?;
        }
        Ok(())
    }

    /// Removes blobs that no image here names, and that are older than `age`.
    pub fn remove_unnamed(&self, age: Duration) -> Result<(), LocalError> {
        let mut named = BTreeSet::new();
        for entry in &Self::open(&self.root)?.index.manifests {
            let tree = self.tree(entry, &Wanted::All)?;
            named.extend(
                tree.images.iter().map(|image| &image.manifest).chain(&tree.indexes).map(|m| m.digest),
            );
            named.extend(tree.images.iter().flat_map(Image::blobs).map(|blob| blob.descriptor.digest));
        }
        let named: BTreeSet<String> = named.iter().map(Digest::hex).collect();
        let removed = fs::read_dir(self.root.join("blobs/sha256")).and_then(|blobs| {
            for blob in blobs.flatten() {
                let is_named = blob.file_name().to_str().is_some_and(|name| named.contains(name));
                if !is_named && blob.metadata()?.modified()?.elapsed().is_ok_and(|old| old > age) {
                    fs::remove_file(blob.path())?;
                }
            }
            Ok(())
        });
        removed.map_err(|cause| self.error(cause.into()))
    }

    /// Where content of this digest is, or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// Whether the blob is here in its full length.
    pub fn has(&self, blob: &Descriptor) -> bool {
        fs::metadata(self.blob_path(&blob.digest))
            .is_ok_and(|found| found.is_file() && found.len() == blob.size)
    }

    /// Takes in an image or index with all it names, from memory and files. A name replaces the image that had it.
    pub fn add(&mut self, tree: &Tree, name: Option<&str>) -> Result<(), LocalError> {
        for blob in tree.images.iter().flat_map(Image::blobs) {
            self.add_blob(blob)?;
        }
        self.add_manifests(tree, name)
    }

    /// As [`Self::add`], when the blobs are here already.
    pub(crate) fn add_manifests(&mut self, tree: &Tree, name: Option<&str>) -> Result<(), LocalError> {
        for manifest in tree.images.iter().map(|image| &image.manifest).chain(&tree.indexes) {
            let blob = Blob::of_bytes(&manifest.media_type, manifest.raw.clone());
            self.add_blob(&blob)?;
        }
        self.list(&tree.root, name).map_err(|problem| self.error(problem))
    }

    /// Takes in a blob, checked, unless it is here.
    pub fn add_blob(&self, blob: &Blob) -> Result<(), LocalError> {
        if self.has(&blob.descriptor) {
            return Ok(());
        }
        self.write_blob(blob).map_err(|problem| self.error(problem))
    }

    fn write_blob(&self, blob: &Blob) -> Result<(), LocalProblem> {
        let mut file = self.temporary()?;
        copy_checked(&mut reader(blob)?, &mut file, &blob.descriptor)?;
        keep(file, &self.blob_path(&blob.descriptor.digest))
    }

    fn list(&mut self, root: &Manifest, name: Option<&str>) -> Result<(), LocalProblem> {
        let mut entry = root.descriptor();
        entry.annotations.extend(name.map(|name| (NAME.to_owned(), name.to_owned())));
        let _alone = self.alone()?;
        let mut index = read_index(&self.root)?; // another program may have added to it
        index.manifests.retain(|other| match (name, other.annotations.get(NAME)) {
            (Some(name), Some(other)) => name != other,
            (None, None) => other.digest != entry.digest,
            _ => true,
        });
        index.manifests.push(entry);
        keep(self.small(INDEX, &index)?, &self.root.join(INDEX))?;
        self.index = index;
        Ok(())
    }

    /// Keeps other programs from changing `index.json`, as far as they ask and files can be locked here.
    fn alone(&self) -> io::Result<File> {
        let marker = File::open(self.root.join(MARKER))?;
        match marker.lock() {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(marker),
        }
    }

    /// Makes what is not there. The marker stays the same file for good: it is what is locked.
    fn found(&self) -> Result<(), LocalProblem> {
        fs::create_dir_all(self.root.join("blobs/sha256"))?;
        self.write_once(INDEX, &self.index)?;
        self.write_once(MARKER, &Marker { image_layout_version: "1.0.0".to_owned() })
    }

    fn write_once(&self, name: &str, value: &impl Serialize) -> Result<(), LocalProblem> {
        let path = self.root.join(name);
        if path.exists() {
            return Ok(());
        }
        match for_all(self.small(name, value)?)?.persist_noclobber(path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error.into()),
            _ => Ok(()),
        }
    }

    fn small(&self, name: &str, value: &impl Serialize) -> Result<NamedTempFile, LocalProblem> {
        let text = serde_json::to_vec(value).map_err(|cause| json(name, cause))?;
        let mut file = self.temporary()?;
        file.write_all(&text)?;
        Ok(file)
    }

    fn temporary(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(".incoming-").tempfile_in(&self.root)
    }

    fn grow(
        &self,
        grower: &mut Grower,
        entry: &Descriptor,
        wanted: &Wanted,
        depth: usize,
    ) -> Result<Manifest, LocalProblem> {
        let unusable = |cause| LocalProblem::manifest(entry.digest, cause);
        let is_new = grower.is_new(entry, depth).map_err(unusable)?;
        let manifest = self.read_manifest(entry)?;
        if !is_new {
            return Ok(manifest);
        }
        match &manifest.kind {
            ManifestKind::Image(image) => grower.image(self.image(&manifest, image)?),
            ManifestKind::Index(index) => match wanted.of(&manifest, index).map_err(unusable)? {
                Selected::Child(child) => return self.grow(grower, &child, &Wanted::All, depth + 1),
                Selected::Index(selected) => {
                    for child in selected.children() {
                        self.grow(grower, child, &Wanted::All, depth + 1)?;
                    }
                    grower.index((*selected).clone());
                    return Ok(*selected);
                }
            },
        }
        Ok(manifest)
    }

    fn image(&self, manifest: &Manifest, image: &ImageManifest) -> Result<Image, LocalProblem> {
        Image::of(manifest, image, |descriptor| {
            let path = self.blob_path(&descriptor.digest);
            let found = fs::metadata(&path).map_err(|error| missing(error, &descriptor.digest))?;
            match found.len() {
                actual if actual != descriptor.size => Err(LocalProblem::Size {
                    name: descriptor.digest.to_string(),
                    expected: descriptor.size,
                    actual,
                }),
                _ => Ok(BlobSource::File(path)),
            }
        })
    }

    fn read_manifest(&self, entry: &Descriptor) -> Result<Manifest, LocalProblem> {
        let name = entry.digest.to_string();
        let raw = read_small(&self.blob_path(&entry.digest), &name, Manifest::MAX_SIZE)?;
        let actual = Digest::of(&raw);
        if actual != entry.digest {
            return Err(LocalProblem::Digest { name, expected: entry.digest, actual });
        }
        Manifest::parse(&entry.media_type, raw.into())
            .map_err(|cause| LocalProblem::manifest(entry.digest, cause))
    }

    fn error(&self, problem: LocalProblem) -> LocalError {
        LocalError::new(&self.root, problem)
    }
}

fn read_index(root: &Path) -> Result<ImageIndex, LocalProblem> {
    const MAX_SIZE: u64 = 4 * 1024 * 1024;
    let marker = read_small(&root.join(MARKER), MARKER, 4096)?;
    let Marker { image_layout_version: version } =
        serde_json::from_slice(&marker).map_err(|cause| json(MARKER, cause))?;
    if !version.starts_with("1.") {
        return Err(LocalProblem::Version { file: MARKER, version });
    }
    let index = read_small(&root.join(INDEX), INDEX, MAX_SIZE)?;
    serde_json::from_slice(&index).map_err(|cause| json(INDEX, cause))
}

/// Reads a file that has to fit in memory; `name` is what it is called in errors.
fn read_small(path: &Path, name: &str, limit: u64) -> Result<Vec<u8>, LocalProblem> {
    let missing = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => LocalProblem::Missing(name.to_owned()),
        _ => error.into(),
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(missing)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(LocalProblem::TooLarge { name: name.to_owned(), limit });
    }
    Ok(bytes)
}

fn missing(error: io::Error, digest: &Digest) -> LocalProblem {
    match error.kind() {
        io::ErrorKind::NotFound => LocalProblem::Missing(digest.to_string()),
        _ => error.into(),
    }
}

fn json(file: &str, cause: serde_json::Error) -> LocalProblem {
    LocalProblem::Json { file: file.to_owned(), cause: Arc::new(cause) }
}

/// Gives a file its name.
fn keep(file: NamedTempFile, path: &Path) -> Result<(), LocalProblem> {
    for_all(file)?.persist(path).map(drop).map_err(|error| error.error.into())
}

/// Readable by everyone, as other tools make them: images hold no secrets.
fn for_all(file: NamedTempFile) -> io::Result<NamedTempFile> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
