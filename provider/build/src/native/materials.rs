//! What images are worked out from besides the Dockerfile and its context: base images, what is in them, what is
//! fetched. Had one by one, as it is wanted, and kept until the build is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ecr_registry::{Blob, Descriptor, Digest, Reference, Repository, names::Digester};
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;

use super::{
    base::{Base, Bases},
    file_system::FileSystem,
    owner::LONGEST_LIST,
    tars::{self, Listed, Lists, Packed},
    want::{Named, Want},
};
use crate::{
    build::{Tools, blocking},
    build_error::BuildError,
    error::ContextError,
    tree::File,
};

/// How many layers are fetched at once.
const LAYERS_AT_ONCE: usize = 4;

/// What was had so far.
pub(super) struct Materials {
    images: BTreeMap<Named, Base>,
    files: BTreeMap<Named, FileSystem>,
    /// Empty for files that are no archives.
    archives: BTreeMap<Digest, Vec<Listed>>,
    contents: BTreeMap<Packed, Bytes>,
    addresses: BTreeMap<(String, Digest), File>,
    /// Where archives are found again.
    places: BTreeMap<Digest, Place>,
    pub(super) scratch: TempDir,
}

#[derive(Debug, Clone)]
enum Place {
    Layer(Repository, Box<Descriptor>),
    File(PathBuf),
}

/// What had to be taken out of archives: a file, and where each content begins in it.
pub(super) struct Unpacked {
    pub(super) file: PathBuf,
    pub(super) places: BTreeMap<Packed, u64>,
}

impl Materials {
    pub(super) fn new() -> Result<Self, BuildError> {
        Ok(Self {
            images: BTreeMap::new(),
            files: BTreeMap::new(),
            archives: BTreeMap::new(),
            contents: BTreeMap::new(),
            addresses: BTreeMap::new(),
            places: BTreeMap::new(),
            scratch: TempDir::with_prefix("image-").map_err(BuildError::Scratch)?,
        })
    }

    pub(super) fn image(&self, named: &Named) -> Option<&Base> {
        self.images.get(named)
    }

    pub(super) fn files(&self, named: &Named) -> Option<&FileSystem> {
        self.files.get(named)
    }

    /// What is in a file of the context; nothing if it is no archive.
    pub(super) fn archive(&self, file: &File) -> Option<&[Listed]> {
        self.archives.get(&file.digest).map(Vec::as_slice)
    }

    pub(super) fn content(&self, packed: &Packed) -> Option<&Bytes> {
        self.contents.get(packed)
    }

    pub(super) fn address(&self, url: &str, checksum: &Digest) -> Option<&File> {
        self.addresses.get(&(url.to_owned(), *checksum))
    }

    /// Has what is wanted.
    pub(super) async fn have(
        &mut self,
        want: Want,
        bases: &Bases,
        tools: Tools<'_>,
    ) -> Result<(), BuildError> {
        match want {
            Want::Image(named) => {
                let reference: Reference = named
                    .name
                    .parse()
                    .map_err(|source| BuildError::BaseName { name: named.name.clone(), source })?;
                let base = bases.find(&reference, &named.platform, tools.registry).await?;
                self.images.insert(named, base);
            }
            Want::Files(named) => {
                let layers = self.images.get(&named).map(|base| base.layers.clone()).unwrap_or_default();
                let files = self.read_layers(&named, &layers, tools).await?;
                self.files.insert(named, files);
            }
            Want::Archive(file) => {
                let path = file.path.clone();
                let listed = blocking(move || match tars::list(&path) {
                    Err(source) if source.kind() == io::ErrorKind::Unsupported => {
                        Err(BuildError::Archiver(path))
                    }
                    Err(source) => Err(ContextError::Unreadable { path, source }.into()),
                    Ok(listed) => Ok(listed),
                });
                self.archives.insert(file.digest, listed.await?.unwrap_or_default());
                self.places.insert(file.digest, Place::File(file.path));
            }
            Want::Content(packed) => {
                let wanted = [packed.clone()].into();
                let unpacked = self.unpack(wanted, tools).await?;
                let content = unpacked.read(&packed).map_err(BuildError::Scratch)?;
                self.contents.insert(packed, content);
            }
            Want::Address { url, checksum } => {
                let file = fetch(&url, checksum, self.scratch.path()).await?;
                self.addresses.insert((url, checksum), file);
            }
        }
        Ok(())
    }

    async fn read_layers(
        &mut self,
        named: &Named,
        layers: &[Blob],
        tools: Tools<'_>,
    ) -> Result<FileSystem, BuildError> {
        let lists = Lists(tools.cache.folder("layers"));
        for layer in layers {
            if let ecr_registry::BlobSource::Registry(repository) = &layer.source {
                let place = Place::Layer(repository.clone(), Box::new(layer.descriptor.clone()));
                self.places.insert(layer.descriptor.digest, place);
            }
        }
        let unknown: u64 = layers
            .iter()
            .filter(|layer| lists.get(&layer.descriptor.digest).is_none())
            .map(|layer| layer.descriptor.size)
            .sum();
        if unknown > 0 {
            let megabytes = unknown.div_ceil(1_000_000);
            tools.progress.line(&format!("looking what is in {} ({megabytes} MB)", named.name));
        }
        let this = &*self;
        let read = layers.iter().map(|layer| {
            let (lists, digest) = (lists.clone(), layer.descriptor.digest);
            async move {
                if let Some(listed) = lists.get(&digest) {
                    return Ok((digest, listed));
                }
                let path = this.path_of(&digest, tools).await?;
                let listed = blocking(move || {
                    let listed = tars::list(&path).map_err(BuildError::Layer)?.unwrap_or_default();
                    lists.keep(&digest, &listed);
                    Ok(listed)
                });
                Ok::<_, BuildError>((digest, listed.await?))
            }
        });
        let read: Vec<_> = read.collect();
        let listed: Vec<(Digest, Vec<Listed>)> =
            stream::iter(read).buffered(LAYERS_AT_ONCE).try_collect().await?;
        Ok(FileSystem::of_layers(listed.iter().map(|(digest, listed)| (*digest, &listed[..]))))
    }

    /// Where an archive is on this machine; a layer is fetched if need be.
    async fn path_of(&self, archive: &Digest, tools: Tools<'_>) -> Result<PathBuf, BuildError> {
        match self.places.get(archive) {
            Some(Place::File(path)) => Ok(path.clone()),
            Some(Place::Layer(repository, blob)) => {
                let path = self.scratch.path().join(format!("layer-{}", archive.hex()));
                if !path.exists() {
                    let fetched = tools.registry.download(repository, blob, &path).await;
                    fetched.map_err(|source| BuildError::BaseLayer { source })?;
                }
                Ok(path)
            }
            None => Err(BuildError::Layer(io::ErrorKind::NotFound.into())),
        }
    }

    /// Takes contents out of their archives.
    pub(super) async fn unpack(
        &self,
        wanted: BTreeSet<Packed>,
        tools: Tools<'_>,
    ) -> Result<Unpacked, BuildError> {
        let archives: BTreeSet<Digest> = wanted.iter().map(|packed| packed.archive).collect();
        let mut paths = BTreeMap::new();
        for archive in archives {
            paths.insert(archive, self.path_of(&archive, tools).await?);
        }
        let (file, file_path) = tempfile::NamedTempFile::new_in(self.scratch.path())
            .and_then(|file| Ok(file.keep()?))
            .map_err(BuildError::Scratch)?;
        let local: BTreeSet<Digest> = self
            .places
            .iter()
            .filter(|(_, place)| matches!(place, Place::File(_)))
            .map(|(digest, _)| *digest)
            .collect();
        let places = blocking(move || take_out_all(&paths, &local, &wanted, file)).await?;
        Ok(Unpacked { file: file_path, places })
    }
}

fn take_out_all(
    paths: &BTreeMap<Digest, PathBuf>,
    local: &BTreeSet<Digest>,
    wanted: &BTreeSet<Packed>,
    mut to: fs::File,
) -> Result<BTreeMap<Packed, u64>, BuildError> {
    let mut places = BTreeMap::new();
    for (archive, path) in paths {
        let of_this = wanted.iter().filter(|packed| packed.archive == *archive).collect();
        let taken = tars::take_out(path, &of_this, &mut to);
        // A layer was verified when it came; a file of the context may be another by now.
        if local.contains(archive) && digest_of(path).ok() != Some(*archive) {
            return Err(ContextError::Changed { path: path.clone() }.into());
        }
        places.extend(taken.map_err(BuildError::Layer)?);
    }
    Ok(places)
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut digester = Digester::new();
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 17];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            read => digester.update(&buffer[..read]),
        }
    }
}

impl Unpacked {
    /// The content from its start.
    pub(super) fn open(&self, packed: &Packed) -> io::Result<io::Take<fs::File>> {
        let place = self.places.get(packed).ok_or(io::ErrorKind::NotFound)?;
        let mut file = fs::File::open(&self.file)?;
        file.seek(SeekFrom::Start(*place))?;
        Ok(file.take(packed.size))
    }

    fn read(&self, packed: &Packed) -> io::Result<Bytes> {
        let mut content = Vec::new();
        self.open(packed)?.take(LONGEST_LIST).read_to_end(&mut content)?;
        Ok(content.into())
    }
}

/// Fetches what `ADD` names by its address.
async fn fetch(url: &str, checksum: Digest, folder: &Path) -> Result<File, BuildError> {
    let failed = |message: String| BuildError::Address { url: url.to_owned(), message };
    let broken = |error: reqwest::Error| failed(chain(&error.without_url()));
    let client = reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(20))
        .read_timeout(std::time::Duration::from_mins(1))
        .build()
        .map_err(broken)?;
    let answer =
        client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(broken)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(BuildError::Scratch)?;
    let (mut digester, mut size) = (Digester::new(), 0);
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.try_next().await.map_err(broken)? {
        digester.update(&piece);
        size += piece.len() as u64;
        file.write_all(&piece).map_err(BuildError::Scratch)?;
    }
    let digest = digester.finish();
    if digest != checksum {
        return Err(failed(format!("its digest is {digest}, and not {checksum}")));
    }
    let (_, path) = file.keep().map_err(|error| BuildError::Scratch(error.error))?;
    Ok(File { path, size, executable: false, digest })
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
