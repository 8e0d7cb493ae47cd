//! Reads the arguments of an image one by one, and gathers what is wrong with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    str::FromStr,
};

use ecr_registry::{Digest, Host, Platform, Reference, Repository};
use image_build::{Compression, DockerfileRecipe, Existing, FilesRecipe, How, LayerSource, Recipe};
use tfplugin_rs::{Diagnostic, Diagnostics, FromValue, View};

use super::{Arguments, Settled};
use crate::{
    access::is_bare,
    argument::in_registry,
    image::after::After,
    report::{Report, at},
};

/// A word that is none of those an argument takes.
#[derive(Debug, thiserror::Error)]
#[error("`{argument}` is `{text}`, which is not one of {}", allowed.join(", "))]
struct NotAChoice {
    argument: String,
    text: String,
    allowed: &'static [&'static str],
}

impl Report for NotAChoice {
    fn advice(&self) -> Option<String> {
        None
    }
}

/// Reads values and remembers what is wrong with them; what is wrong counts as not settled.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Diagnostics,
}

impl Reader {
    pub(super) fn read<T: FromValue>(&mut self, view: &View<'_>) -> Settled<T> {
        self.problems.collect(view.settled()).flatten()
    }

    pub(super) fn parse<T: FromStr<Err: Report>>(&mut self, view: &View<'_>) -> Settled<Option<T>> {
        let Some(text) = self.read::<Option<String>>(view)? else { return Some(None) };
        let parsed = text.parse().map_err(|error: T::Err| at(error.report(), view.path().clone()));
        self.problems.collect(parsed).map(Some)
    }

    pub(super) fn set<T: FromStr<Err: Report> + Ord>(&mut self, view: &View<'_>) -> Settled<BTreeSet<T>> {
        if view.value().is_unknown() {
            return None;
        }
        let elements = self.problems.collect(view.elements())?;
        // Elements of sets have no address: the set is to blame.
        let parsed = elements.iter().map(|element| {
            let text: String = self.read(element)?;
            let parsed = text.parse().map_err(|error: T::Err| at(error.report(), view.path().clone()));
            self.problems.collect(parsed)
        });
        parsed.collect::<Vec<_>>().into_iter().collect()
    }

    pub(super) fn choice(
        &mut self,
        view: &View<'_>,
        allowed: &'static [&'static str],
    ) -> Settled<Option<&'static str>> {
        let Some(text) = self.read::<Option<String>>(view)? else { return Some(None) };
        let found = allowed.iter().find(|word| **word == text);
        let argument = view.path().to_string();
        let error = || NotAChoice { argument, text, allowed }.report().at(view.path().clone());
        self.problems.collect(found.copied().ok_or_else(error)).map(Some)
    }

    pub(super) fn map(&mut self, view: &View<'_>) -> Settled<BTreeMap<String, String>> {
        self.read::<Option<_>>(view).map(Option::unwrap_or_default)
    }

    fn path(&mut self, view: &View<'_>) -> Settled<PathBuf> {
        self.read::<String>(view).map(PathBuf::from)
    }

    /// `None` also where it is written without a registry, and which one that would be is not known.
    pub(super) fn repository(&mut self, view: &View<'_>, registry: Option<&Host>) -> Settled<Repository> {
        let text = self.read::<String>(view)?;
        if !is_bare(&text) {
            return self.parse(view).flatten();
        }
        let parsed = in_registry(registry, &text).map_err(|error| error.report().at(view.path().clone()));
        self.problems.collect(parsed).filter(|_| registry.is_some())
    }

    pub(super) fn recipe(
        &mut self,
        view: &View<'_>,
        default_labels: Option<&BTreeMap<String, String>>,
    ) -> Settled<Option<Recipe>> {
        let (build, files) = (view.get("build"), view.get("files"));
        let source = view.get("source");
        let how = match [&build, &files, &source].map(|given| given.value().is_null()) {
            [false, ..] => self.dockerfile(&build).map(How::Dockerfile).map(Some),
            [_, false, _] => self.files(&files).map(How::Files).map(Some),
            [_, _, false] => self.existing(&source).map(How::Existing).map(Some),
            [true, true, true] => Some(None),
        };
        let platforms = self.platforms(&view.get("platforms"));
        let compression = self.parse(&view.get("compression"));
        let epoch = self.read::<Option<u64>>(&build.get("source_date_epoch"));
        let [labels, annotations, triggers] =
            ["labels", "annotations", "triggers"].map(|name| self.map(&view.get(name)));
        let Some(how) = how? else { return Some(None) };
        Some(Some(Recipe {
            how,
            platforms: platforms?,
            compression: compression?.unwrap_or_default(),
            labels: with(default_labels?, labels?),
            annotations: annotations?,
            triggers: triggers?,
            source_date_epoch: epoch?.unwrap_or_default(),
            format: None,
        }))
    }

    fn platforms(&mut self, view: &View<'_>) -> Settled<Vec<Platform>> {
        let platforms: Vec<Platform> = self.set::<Platform>(view)?.into_iter().collect();
        if view.value().is_null() {
            return Some(vec![Platform::linux_amd64()]);
        }
        if platforms.is_empty() {
            let detail = "Name one at least, or leave the argument out for linux/amd64.";
            self.problems.push(Diagnostic::error("No platform is given", detail).at(view.path().clone()));
            return None;
        }
        Some(platforms)
    }

    pub(super) fn wait_for(&mut self, view: &View<'_>) -> BTreeSet<After> {
        let words: BTreeSet<String> = self.read::<Option<_>>(view).flatten().unwrap_or_default();
        let known = words.into_iter().filter_map(|word| match word.as_str() {
            "replication" => Some(After::Replication),
            "signature" => Some(After::Signature),
            _ => {
                let summary = format!("`{word}` is nothing that can be waited for");
                let detail = "Write \"replication\", \"signature\" or both.";
                self.problems.push(Diagnostic::error(summary, detail).at(view.path().clone()));
                None
            }
        });
        known.collect()
    }

    pub(super) fn source_lock(&mut self, view: &View<'_>) -> Option<Digest> {
        let text = self.read::<Option<String>>(view).flatten()?;
        let error = |_| {
            let detail = "Write data.ecr_context.….source_lock, of a data source with the same context.";
            Diagnostic::error("The source lock is not one", detail).at(view.path().clone())
        };
        self.problems.collect(text.parse().map_err(error))
    }

    /// A data source reads Dockerfiles from files alone.
    pub(super) fn lock(&mut self, view: &View<'_>) {
        let (lock, inline) = (view.get("source_lock"), view.get("build").get("dockerfile_inline"));
        if [&lock, &inline].iter().all(|given| given.value().as_str().is_some()) {
            let summary = "`source_lock` is of a Dockerfile in a file";
            let detail = "Leave it out, or write the Dockerfile into a file.";
            self.problems.push(Diagnostic::error(summary, detail).at("source_lock"));
        }
    }

    /// What Lambda does not run.
    pub(super) fn lambda(&mut self, arguments: &Arguments) {
        let Some(Some(recipe)) = arguments.recipe.as_ref().filter(|_| arguments.lambda) else { return };
        let mut refuse = |what: &str, detail: &str, argument: &str| {
            let summary = format!("AWS Lambda runs no image {what}");
            self.problems.push(Diagnostic::error(summary, detail).at(argument));
        };
        if recipe.compression == Compression::Zstd {
            refuse("with layers of zstd", "Write compression = \"gzip\", or leave it out.", "compression");
        }
        if matches!(&recipe.how, How::Dockerfile(build) if build.attestations.any()) {
            refuse("with attestations", "Leave build.attestations out.", "build");
        }
        if recipe.platforms.len() > 1 {
            refuse(
                "of several platforms",
                "Write one platform: that of the function's architecture.",
                "platforms",
            );
        }
    }

    fn dockerfile(&mut self, view: &View<'_>) -> Settled<DockerfileRecipe> {
        let context = self.path(&view.get("context"));
        let dockerfile = self.read::<Option<String>>(&view.get("dockerfile"));
        let inline = self.read::<Option<String>>(&view.get("dockerfile_inline"));
        self.one_dockerfile(view);
        let track = self.read::<Option<bool>>(&view.get("track_base_images"));
        let target = self.read(&view.get("target"));
        let args = self.map(&view.get("args"));
        let unhashed_args = self.read::<Option<_>>(&view.get("hash_ignore_args"));
        let secrets_version = self.read::<Option<u64>>(&view.get("secrets_wo_version"));
        let contexts = self.contexts(&view.get("contexts"));
        let attestations = self.attestations(&view.get("attestations"));
        let options = self.options(view);
        Some(DockerfileRecipe {
            context: context?,
            dockerfile: dockerfile?.map(PathBuf::from),
            dockerfile_inline: inline?,
            track_base_images: track?.unwrap_or_default(),
            target: target?,
            args: args?,
            unhashed_args: unhashed_args?.unwrap_or_default(),
            secrets_version: secrets_version?.map(|version| version.to_string()),
            contexts: contexts?,
            attestations: attestations?,
            options,
            ..DockerfileRecipe::default()
        })
    }

    fn one_dockerfile(&mut self, view: &View<'_>) {
        let inline = view.get("dockerfile_inline");
        if [&inline, &view.get("dockerfile")].iter().all(|given| given.value().as_str().is_some()) {
            let summary = "Both `dockerfile` and `dockerfile_inline` are given";
            let problem = Diagnostic::error(summary, "Remove one of them.");
            self.problems.push(at(problem, inline.path().clone()));
        }
    }

    fn files(&mut self, view: &View<'_>) -> Settled<FilesRecipe> {
        let base = self.base(&view.get("base"));
        let layers = self.layers(&view.get("layers"));
        let [entrypoint, cmd] = ["entrypoint", "cmd"].map(|name| self.read(&view.get(name)));
        let env = self.map(&view.get("env"));
        let [user, workdir] = ["user", "workdir"].map(|name| self.read(&view.get(name)));
        Some(FilesRecipe {
            base: base?,
            layers: layers?,
            entrypoint: entrypoint?,
            cmd: cmd?,
            env: env?,
            user: user?,
            workdir: workdir?,
        })
    }

    fn existing(&mut self, view: &View<'_>) -> Settled<Existing> {
        let [layout, archive, image] = ["oci_layout", "docker_archive", "local_image"]
            .map(|name| self.read::<Option<String>>(&view.get(name)));
        match (layout?, archive?, image?) {
            (Some(layout), None, None) => Some(Existing::OciLayout(layout.as_str().into())),
            (None, Some(archive), None) => Some(Existing::DockerArchive(archive.as_str().into())),
            (None, None, Some(name)) => Some(Existing::LocalImage { name, id: None }),
            _ => {
                let summary = "An image that exists is given by one of `oci_layout`, `docker_archive` and `local_image`";
                self.problems.push(at(Diagnostic::error(summary, "Write one of them."), view.path().clone()));
                None
            }
        }
    }

    fn base(&mut self, view: &View<'_>) -> Settled<Option<Reference>> {
        if view.value().as_str() == Some("scratch") {
            return Some(None);
        }
        self.parse(view)
    }

    fn layers(&mut self, view: &View<'_>) -> Settled<Vec<LayerSource>> {
        if view.value().is_unknown() {
            return None;
        }
        let elements = self.problems.collect(view.elements())?;
        let layers: Vec<Option<LayerSource>> = elements.iter().map(|element| self.layer(element)).collect();
        layers.into_iter().collect()
    }

    fn layer(&mut self, view: &View<'_>) -> Settled<LayerSource> {
        let source = self.path(&view.get("source"));
        let destination = self.destination(&view.get("destination"));
        let mode = self.mode(&view.get("mode"));
        Some(LayerSource { source: source?, destination: destination?, mode: mode? })
    }

    fn destination(&mut self, view: &View<'_>) -> Settled<String> {
        let destination: String = self.read(view)?;
        if !destination.starts_with('/') {
            let summary = format!("Destination `{destination}` is not an absolute path");
            let detail = "Begin it with `/`: paths in an image begin at its root.";
            self.problems.push(at(Diagnostic::error(summary, detail), view.path().clone()));
            return None;
        }
        Some(destination)
    }

    fn mode(&mut self, view: &View<'_>) -> Settled<Option<u32>> {
        let Some(text) = self.read::<Option<String>>(view)? else { return Some(None) };
        let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o7777);
        let error = || {
            let summary = format!("Mode `{text}` is not an octal number up to 7777");
            let detail = "Write permissions as \"0644\" or \"0755\".";
            at(Diagnostic::error(summary, detail), view.path().clone())
        };
        self.problems.collect(mode.ok_or_else(error)).map(Some)
    }
}

fn with(defaults: &BTreeMap<String, String>, own: BTreeMap<String, String>) -> BTreeMap<String, String> {
    defaults.clone().into_iter().chain(own).collect()
}
