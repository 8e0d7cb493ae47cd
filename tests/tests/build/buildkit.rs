//! Our client of BuildKit and buildkitd itself: one on a socket, and several with TLS on both sides as a fleet.
//!
//! Images are made from nothing but this machine's static busybox, so no registry is needed for a base.

pub(crate) mod daemon;
mod ends;
mod fleet;
mod local_cache;
mod remote;
pub(crate) mod session;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use ecr_registry::{Platform, Registry, Repository, Settings};
use image_build::{
    BuildError, BuildOptions, Builder, BuilderSettings, Built, Cache, Compression, DockerfileRecipe,
    Endpoint, Engine, How, Progress, Recipe, Tools, build,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What begins every Dockerfile here that runs something.
pub(crate) const BUSYBOX: &str =
    "FROM scratch\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-ec\"]\n";

/// A context folder with busybox and these files.
pub(crate) fn context(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy("/bin/busybox", folder.path().join("busybox")).expect("busybox-static is installed");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

pub(crate) fn recipe(context: &Path, platforms: &[&str], how: DockerfileRecipe) -> Recipe {
    Recipe {
        how: How::Dockerfile(DockerfileRecipe { context: context.to_owned(), ..how }),
        platforms: platforms.iter().map(|platform| platform.parse::<Platform>().unwrap()).collect(),
        compression: Compression::Gzip,
        labels: [("team".to_owned(), "shop".to_owned())].into(),
        annotations: [].into(),
        triggers: [].into(),
        source_date_epoch: 0,
        format: None,
    }
}

pub(crate) fn builder(endpoints: Vec<Endpoint>) -> Builder {
    let patience = Duration::from_secs(20);
    Builder::new(BuilderSettings {
        engine: Engine::Buildkit,
        endpoints,
        patience,
        ..BuilderSettings::default()
    })
}

/// What a build needs beside the recipe, and what it said.
pub(crate) struct Desk {
    pub(crate) registry: Registry,
    pub(crate) destination: Option<Repository>,
    cancel: CancellationToken,
    lines: Mutex<Vec<String>>,
    /// Called with every line.
    hears: Box<dyn Fn(&str) + Send + Sync>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        Self {
            registry: Registry::new(settings).unwrap(),
            destination: None,
            cancel: CancellationToken::new(),
            lines: Mutex::default(),
            hears: Box::new(|_| {}),
        }
    }

    pub(crate) async fn build(&self, builder: &Builder, recipe: &Recipe) -> Result<Built, BuildError> {
        let tools = Tools {
            builder,
            registry: &self.registry,
            destination: self.destination.as_ref(),
            cache: &Cache::none(),
            progress: self,
            cancel: &self.cancel,
        };
        build(recipe, tools).await
    }

    fn said(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Progress for Desk {
    fn line(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
        (self.hears)(line);
    }
}

/// An error with all its causes.
pub(crate) fn whole(error: &BuildError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Options that let nothing come out of the builder's cache.
fn afresh() -> BuildOptions {
    BuildOptions { no_cache: true, ..BuildOptions::default() }
}
