//! Sees to it that each folder is an image in its repository, as `terraform apply` does, ten at a time: a folder whose
//! source tag is there is done; any other is built, pushed and tagged.
//!
//! A folder with a `Dockerfile` is built from it; of any other, all files go onto the base, below `/srv`. `--plan` only
//! looks at the files. `--builder` is a buildkitd for steps that run something, else Docker's daemon is looked for.
//!
//! ```text
//! cargo run -p image-build --example deliver -- --base debian:12 app=registry.example.com/shop/web:v1
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::{error::Error, process::ExitCode};

use ecr_registry::{Outcome, Reference, Registry, Settings, Tag, Version};
use futures::{StreamExt, TryStreamExt, stream};
use image_build::{
    Builder, BuilderSettings, Cache, Compression, DockerfileRecipe, Endpoint, FilesRecipe, How, LayerSource,
    Recipe, Tools, build, observe, source_hash,
};
use tokio_util::sync::CancellationToken;

const USAGE: &str = "deliver [--plan] [--zstd] [--base IMAGE] [--builder ADDRESS] FOLDER=IMAGE...";
/// As much as the provider keeps of blobs, in bytes.
const CACHE: u64 = 4 << 30;
/// As many as Terraform works on.
const AT_ONCE: usize = 10;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  caused by: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// What the command line says.
#[derive(Default)]
struct Wanted {
    only_plan: bool,
    compression: Compression,
    base: Option<Reference>,
    builder: Option<Endpoint>,
    images: Vec<(String, Reference)>,
}

/// What images are made with.
struct Shop {
    wanted: Wanted,
    registry: Registry,
    builder: Builder,
    cache: Cache,
}

async fn run() -> Result<(), Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let wanted = Wanted::parse(std::env::args().skip(1))?;
    let given = |endpoint: &Endpoint| {
        let endpoints = vec![endpoint.clone()];
        Builder::new(BuilderSettings { endpoints, ..BuilderSettings::default() })
    };
    let home = |name: &str| std::env::var_os(name);
    let cache = ecr_registry::cache_path(home).map(|folder| ecr_registry::Cache::new(folder, CACHE));
    let settings = Settings { cache, ..Settings::default() }.with_logins_of_user(home);
    let shop = Shop {
        builder: wanted.builder.as_ref().map_or_else(|| Builder::from_environment(variable), given),
        wanted,
        registry: Registry::new(settings)?,
        cache: Cache::from_environment(variable),
    };
    let images = shop.wanted.images.iter().map(|(folder, image)| shop.deliver(folder, image));
    stream::iter(images.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).try_collect().await
}

impl Wanted {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--plan" => wanted.only_plan = true,
                "--zstd" => wanted.compression = Compression::Zstd,
                "--base" => wanted.base = Some(arguments.next().ok_or(USAGE)?.parse()?),
                "--builder" => {
                    let address = arguments.next().ok_or(USAGE)?.parse()?;
                    wanted.builder = Some(Endpoint { address, platforms: Vec::new(), tls: None });
                }
                image => {
                    let (folder, image) = image.split_once('=').ok_or(USAGE)?;
                    wanted.images.push((folder.to_owned(), image.parse()?));
                }
            }
        }
        Ok(wanted)
    }

    fn recipe(&self, folder: &str) -> Recipe {
        let how = if std::path::Path::new(folder).join("Dockerfile").is_file() {
            How::Dockerfile(DockerfileRecipe { context: folder.into(), ..DockerfileRecipe::default() })
        } else {
            let all = LayerSource { source: folder.into(), destination: "/srv/".to_owned(), mode: None };
            let (base, layers) = (self.base.clone(), vec![all]);
            How::Files(FilesRecipe { base, layers, ..FilesRecipe::default() })
        };
        Recipe { compression: self.compression, ..Recipe::of(how) }
    }
}

impl Shop {
    async fn deliver(&self, folder: &str, image: &Reference) -> Result<(), Failure> {
        let recipe = self.wanted.recipe(folder);
        let (looked_at, cache) = (recipe.clone(), self.cache.clone());
        let sources = tokio::task::spawn_blocking(move || observe(&looked_at, &cache)).await??;
        let hash = source_hash(&recipe, &sources);
        if self.wanted.only_plan {
            println!("{folder} {hash}");
            return Ok(());
        }
        let source_tag = hash.tag("src-")?;
        let version = Version::Tag(source_tag.clone());
        match self.registry.head(&image.repository, &version).await {
            Ok(Some(found)) => {
                println!("{image} {} is there", found.digest);
                return Ok(());
            }
            Ok(None) => {}
            Err(error) if matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone) => {}
            Err(error) => return Err(error.into()),
        }
        let (progress, cancel) = ((), CancellationToken::new());
        let (builder, registry, cache) = (&self.builder, &self.registry, &self.cache);
        let destination = Some(&image.repository);
        let tools = Tools { builder, registry, destination, cache, progress: &progress, cancel: &cancel };
        let built = build(&recipe, tools).await?;
        let tags: Vec<Tag> = image.tag.clone().into_iter().chain([source_tag]).collect();
        let report = built.push(&self.registry, &image.repository, &tags, &()).await?;
        println!("{image} {}: {} bytes sent", built.tree().root.digest, report.bytes_sent);
        Ok(())
    }
}
