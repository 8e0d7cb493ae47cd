//! Images that exist already, on disk or in Docker's store: described for a plan, and handed to the pusher as they are.
//!
//! Manifests of a layout go as they lie there. An archive of Docker has none, and its layers are mostly not compressed:
//! these are compressed, and keep the configuration, so the image keeps its id.

use std::io;

use ecr_registry::{
    Blob, BlobSource, Digest, DockerArchive, Image, ImageConfig, Layout, LocalError, Manifest, ManifestKind,
    Platform, Tree, Wanted,
    content::{ImageManifest, media_type},
};
use tempfile::TempDir;

use crate::{
    build::{Built, Tools, blocking},
    build_error::BuildError,
    builder::Builder,
    compress::LayerWriter,
    docker::{Docker, DockerError, NoDocker},
    options::LocalImages,
    recipe::{Compression, Recipe},
    sources,
};

/// An image that exists already, and where. Labels and annotations of a recipe are not put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// A folder in the OCI image layout.
    OciLayout(LocalImages),
    /// A file as `docker save` writes it.
    DockerArchive(LocalImages),
    /// An image of Docker's daemon.
    LocalImage {
        /// Its name or id.
        name: String,
        /// Which image the name is for, once the daemon was asked ([`crate::resolve`]).
        id: Option<Digest>,
    },
}

/// An image that exists already and cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExistingError {
    /// What is on disk is not as it should be.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// It is not for the platforms that are wanted.
    #[error("`{image}` is for {}, not for {}", list(.found), list(.wanted))]
    Platform {
        /// The image.
        image: String,
        /// What is wanted.
        wanted: Vec<Platform>,
        /// What it is for.
        found: Vec<Platform>,
    },
    /// Its configuration is none.
    #[error("`{0}` has no configuration that can be read")]
    Config(String),
    /// Docker's daemon is not there.
    #[error(transparent)]
    NoDocker(#[from] NoDocker),
    /// Docker's daemon did not do as it was asked.
    #[error("cannot ask the Docker daemon for `{image}`")]
    Docker {
        /// The image.
        image: String,
        /// What it said.
        source: DockerError,
    },
    /// Docker's daemon has no such image.
    #[error("the Docker daemon at `{daemon}` has no image `{image}`")]
    NotStored {
        /// The image.
        image: String,
        /// Where the daemon is.
        daemon: String,
    },
    /// The name stands for another image than it did.
    #[error("`{image}` is {found} now, and was {planned} when it was planned")]
    Moved {
        /// The image.
        image: String,
        /// What was planned.
        planned: Digest,
        /// What is there.
        found: Digest,
    },
}

impl ExistingError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Local(error) => error.hint().map(str::to_owned),
            Self::Platform { .. } => Some("write what it is for in `platforms`".into()),
            Self::NotStored { .. } => {
                Some("build or pull it there first; `docker images` shows what there is".into())
            }
            Self::Moved { .. } => Some("plan again".into()),
            Self::NoDocker(_) => Some("start Docker, or point DOCKER_HOST to its socket".into()),
            Self::Config(_) | Self::Docker { .. } => None,
        }
    }
}

impl Existing {
    /// What a person calls it.
    pub fn name(&self) -> String {
        match self {
            Self::OciLayout(place) | Self::DockerArchive(place) => place.to_string(),
            Self::LocalImage { name, .. } => name.clone(),
        }
    }

    /// Stands for its content, as far as files tell: of an image of Docker's daemon, its id if that is known.
    pub(crate) fn digest(&self, platforms: &[Platform]) -> Result<Digest, ExistingError> {
        match self {
            Self::LocalImage { name, id } => Ok(id.unwrap_or_else(|| Digest::of(name.as_bytes()))),
            Self::OciLayout(place) => Ok(of_layout(place, platforms)?.root.digest),
            Self::DockerArchive(place) => Ok(of_archive(place, platforms)?.manifest.digest),
        }
    }

    /// Asks Docker's daemon which image it has under the name.
    pub(crate) async fn resolve(&mut self, builder: &Builder) -> Result<(), ExistingError> {
        let Self::LocalImage { name, id } = self else { return Ok(()) };
        let docker = builder.settings().docker.connect().await?;
        *id = Some(stored(&docker, name).await?);
        Ok(())
    }
}

async fn stored(docker: &Docker, name: &str) -> Result<Digest, ExistingError> {
    let failed = |source| ExistingError::Docker { image: name.to_owned(), source };
    let found = docker.image(name).await.map_err(failed)?;
    let missing =
        || ExistingError::NotStored { image: name.to_owned(), daemon: docker.address().to_string() };
    Ok(found.ok_or_else(missing)?.id)
}

/// Takes the image as it is.
pub(crate) async fn take(
    recipe: &Recipe,
    existing: &Existing,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
    let (mut existing, recipe) = (existing.clone(), recipe.clone());
    let mut digest = None;
    if let Existing::LocalImage { name, id } = &existing {
        let planned = *id;
        let saving = save(tools.builder, name, planned, &scratch);
        let (found, saved) =
            tools.cancel.run_until_cancelled(saving).await.ok_or(BuildError::Cancelled)??;
        digest = Some(found);
        existing = Existing::DockerArchive(saved);
    }
    blocking(move || {
        let tree = match &existing {
            Existing::OciLayout(place) => of_layout(place, &recipe.platforms)?,
            Existing::DockerArchive(place) => {
                let image = of_archive(place, &recipe.platforms)?;
                digest.get_or_insert(image.manifest.digest);
                compressed(image, recipe.compression, &scratch).map_err(BuildError::Scratch)?.into()
            }
            Existing::LocalImage { .. } => unreachable!("it was saved as an archive"),
        };
        let digest = digest.unwrap_or(tree.root.digest);
        Ok(Built::of_tree(tree, sources::of_existing(&existing.name(), digest), Some(scratch)))
    })
    .await
}

/// Saves an image of Docker's daemon in a file.
async fn save(
    builder: &Builder,
    name: &str,
    planned: Option<Digest>,
    scratch: &TempDir,
) -> Result<(Digest, LocalImages), BuildError> {
    let docker = builder.settings().docker.connect().await?;
    let found = stored(&docker, name).await?;
    if let Some(planned) = planned.filter(|planned| *planned != found) {
        return Err(ExistingError::Moved { image: name.to_owned(), planned, found }.into());
    }
    let failed = |source| ExistingError::Docker { image: name.to_owned(), source };
    let mut archive = docker.export(&found.to_string()).await.map_err(failed)?;
    let path = scratch.path().join("image.tar");
    let saved = LocalImages { path: path.clone(), name: None };
    blocking(move || {
        let mut file = std::fs::File::create(path).map_err(BuildError::Scratch)?;
        io::copy(&mut archive, &mut file).map_err(|error| BuildError::Archive(error.into()))?;
        Ok((found, saved))
    })
    .await
}

fn of_layout(place: &LocalImages, platforms: &[Platform]) -> Result<Tree, ExistingError> {
    let layout = Layout::open(&place.path)?;
    let entry = layout.find(place.name.as_deref())?;
    let is_index = matches!(layout.manifest(entry)?.kind, ManifestKind::Index(_));
    let wanted = match platforms {
        [one] => Wanted::One(one.clone()),
        several => Wanted::Only(several.to_vec()),
    };
    let tree = layout.tree(entry, &wanted)?;
    if !is_index {
        let image = tree.images.first().ok_or_else(|| ExistingError::Config(place.to_string()))?;
        check(image, place, platforms)?;
    }
    Ok(tree)
}

fn of_archive(place: &LocalImages, platforms: &[Platform]) -> Result<Image, ExistingError> {
    let image = DockerArchive::open(&place.path)?.image(place.name.as_deref())?;
    check(&image, place, platforms)?;
    Ok(image)
}

/// An image alone is for one platform, which has to be the one that is wanted.
fn check(image: &Image, place: &LocalImages, platforms: &[Platform]) -> Result<(), ExistingError> {
    let config = match &image.config.source {
        BlobSource::Bytes(bytes) => serde_json::from_slice::<ImageConfig>(bytes).ok(),
        BlobSource::File(path) => {
            std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
        }
        BlobSource::Part { .. } | BlobSource::Registry(_) => None,
    };
    let config = config.ok_or_else(|| ExistingError::Config(place.to_string()))?;
    match platforms {
        [one] if one.matches(&config.platform()) => Ok(()),
        wanted => Err(ExistingError::Platform {
            image: place.to_string(),
            wanted: wanted.to_vec(),
            found: vec![config.platform()],
        }),
    }
}

/// The image with every layer compressed.
fn compressed(image: Image, compression: Compression, scratch: &TempDir) -> io::Result<Image> {
    let layers = image.layers.into_iter().map(|layer| compressed_layer(layer, compression, scratch));
    let layers = layers.collect::<io::Result<Vec<_>>>()?;
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let annotations = image.manifest.annotations().clone();
    let manifest = ImageManifest::oci(image.config.descriptor.clone(), descriptors, annotations);
    Ok(Image { manifest: Manifest::of_image(manifest), config: image.config, layers })
}

fn compressed_layer(layer: Blob, compression: Compression, scratch: &TempDir) -> io::Result<Blob> {
    let none = Some(media_type::Compression::None);
    let BlobSource::Part { file, offset } = &layer.source else { return Ok(layer) };
    if media_type::compression(&layer.descriptor.media_type) != none {
        return Ok(layer);
    }
    let mut from = std::fs::File::open(file)?;
    io::Seek::seek(&mut from, io::SeekFrom::Start(*offset))?;
    let mut writer = LayerWriter::new(compression, scratch)?;
    io::copy(&mut io::Read::take(from, layer.descriptor.size), &mut writer)?;
    Ok(writer.finish()?.blob)
}

fn list(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
