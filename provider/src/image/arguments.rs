//! What is written in an `ecr_image`: parsed once, with errors that name the argument.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path as FilePath, PathBuf},
    str::FromStr,
};

use ecr_registry::{Host, Platform, Reference, Repository, Tag};
use image_build::{BuildError, ContextError, DockerfileRecipe, FilesRecipe, How, LayerSource, Recipe, Role};
use tfplugin_rs::{Diagnostic, Diagnostics, FromValue, Path, Value, View};

use crate::{
    access::{Access, is_bare},
    report::{Report, at},
};

/// A value of configuration or plan; `None` while it is known only after apply.
pub(super) type Settled<T> = Option<T>;

/// All arguments.
pub(super) const NAMES: [&str; 12] = [
    "repository",
    "tags",
    "platforms",
    "build",
    "files",
    "labels",
    "annotations",
    "triggers",
    "compression",
    "on_destroy",
    "on_moved_tag",
    "on_removed_tag",
];

/// What the provider's settings add to the arguments of an image.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// Where a repository is that is written without a registry.
    registry: Option<Host>,
    default_labels: Settled<BTreeMap<String, String>>,
}

impl Surroundings {
    /// What is known of them; AWS is asked for its account only if the repository is written without a registry.
    pub(super) async fn of(access: &Access, value: &Value) -> Self {
        let bare = value.get("repository").as_str().is_some_and(is_bare);
        let registry = match access.home.as_ref().filter(|_| bare) {
            Some(home) => home.registry().await.ok(),
            None => None,
        };
        Self { registry, default_labels: access.default_labels.clone() }
    }
}

/// The arguments of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) repository: Settled<Repository>,
    pub(super) tags: Settled<BTreeSet<Tag>>,
    /// The inner `None`: neither `build` nor `files`, as in the state of an image that was just imported.
    pub(super) recipe: Settled<Option<Recipe>>,
    pub(super) on_moved_tag: OnMovedTag,
    pub(super) on_removed_tag: OnRemovedTag,
}

/// What to do about a tag that somebody moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnMovedTag {
    #[default]
    Restore,
    Ignore,
}

/// What becomes of a tag that is no longer wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnRemovedTag {
    #[default]
    Keep,
    Untag,
}

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

/// Fills in what the configuration leaves to the provider.
pub(super) fn with_defaults(mut planned: Value, config: &Value) -> Value {
    let defaults: [(&str, Value); 5] = [
        ("platforms", vec!["linux/amd64"].into()),
        ("compression", "gzip".into()),
        ("on_destroy", "keep".into()),
        ("on_moved_tag", "restore".into()),
        ("on_removed_tag", "keep".into()),
    ];
    for (name, default) in defaults {
        if config.get(name).is_null() {
            planned.set(name, default);
        }
    }
    planned
}

impl Arguments {
    /// Reads configuration, plan or state.
    ///
    /// # Errors
    /// All that is wrong with the values that are known, each with its argument.
    pub(super) fn parse(value: &Value, around: &Surroundings) -> Result<Self, Diagnostics> {
        let view = value.view();
        let mut reader = Reader::default();
        let policy = |reader: &mut Reader, name, allowed| reader.choice(&view.get(name), allowed).flatten();
        policy(&mut reader, "on_destroy", &["keep"]);
        let on_moved_tag = match policy(&mut reader, "on_moved_tag", &["restore", "ignore"]) {
            Some("ignore") => OnMovedTag::Ignore,
            _ => OnMovedTag::Restore,
        };
        let on_removed_tag = match policy(&mut reader, "on_removed_tag", &["keep", "untag"]) {
            Some("untag") => OnRemovedTag::Untag,
            _ => OnRemovedTag::Keep,
        };
        let arguments = Self {
            repository: reader.repository(&view.get("repository"), around.registry.as_ref()),
            tags: reader.set(&view.get("tags")),
            recipe: reader.recipe(&view, around.default_labels.as_ref()),
            on_moved_tag,
            on_removed_tag,
        };
        if reader.problems.is_empty() { Ok(arguments) } else { Err(reader.problems) }
    }
}

/// Checks what is known of a configuration.
pub(super) fn check(config: &Value) -> Diagnostics {
    let mut problems = Arguments::parse(config, &Surroundings::default()).err().unwrap_or_default();
    let given = |name| !config.get(name).is_null();
    let known = |name| config.get(name).is_known();
    if given("build") && given("files") && known("build") && known("files") {
        let detail =
            "An image is made from a Dockerfile (`build`) or from files (`files`); remove one of them.";
        problems.push(Diagnostic::error("Both `build` and `files` are given", detail).at("files"));
    }
    if !given("build") && !given("files") {
        let detail = "Write build = { context = \"…\" } or files = { layers = [ … ] }.";
        problems.push(Diagnostic::error("Neither `build` nor `files` is given", detail));
    }
    problems
}

/// Reads values and remembers what is wrong with them; what is wrong counts as not settled.
#[derive(Default)]
struct Reader {
    problems: Diagnostics,
}

impl Reader {
    fn read<T: FromValue>(&mut self, view: &View<'_>) -> Settled<T> {
        self.problems.collect(view.settled()).flatten()
    }

    fn parse<T: FromStr<Err: Report>>(&mut self, view: &View<'_>) -> Settled<Option<T>> {
        let Some(text) = self.read::<Option<String>>(view)? else { return Some(None) };
        let parsed = text.parse().map_err(|error: T::Err| at(error.report(), view.path().clone()));
        self.problems.collect(parsed).map(Some)
    }

    fn set<T: FromStr<Err: Report> + Ord>(&mut self, view: &View<'_>) -> Settled<BTreeSet<T>> {
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

    fn choice(&mut self, view: &View<'_>, allowed: &'static [&'static str]) -> Settled<Option<&'static str>> {
        let Some(text) = self.read::<Option<String>>(view)? else { return Some(None) };
        let found = allowed.iter().find(|word| **word == text);
        let argument = view.path().to_string();
        let error = || NotAChoice { argument, text, allowed }.report().at(view.path().clone());
        self.problems.collect(found.copied().ok_or_else(error)).map(Some)
    }

    fn map(&mut self, view: &View<'_>) -> Settled<BTreeMap<String, String>> {
        self.read::<Option<_>>(view).map(Option::unwrap_or_default)
    }

    fn path(&mut self, view: &View<'_>) -> Settled<PathBuf> {
        self.read::<String>(view).map(PathBuf::from)
    }

    /// `None` also where it is written without a registry, and which one that would be is not known.
    fn repository(&mut self, view: &View<'_>, registry: Option<&Host>) -> Settled<Repository> {
        let text = self.read::<String>(view)?;
        if !is_bare(&text) {
            return self.parse(view).flatten();
        }
        // Some registry will do for checking the name.
        let placeholder = || "registry.invalid".parse::<Host>().expect("a host");
        let parsed = Repository::new(registry.cloned().unwrap_or_else(placeholder), &text);
        let parsed = self.problems.collect(parsed.map_err(|error| error.report().at(view.path().clone())));
        parsed.filter(|_| registry.is_some())
    }

    fn recipe(
        &mut self,
        view: &View<'_>,
        default_labels: Option<&BTreeMap<String, String>>,
    ) -> Settled<Option<Recipe>> {
        let (build, files) = (view.get("build"), view.get("files"));
        let how = match (build.value().is_null(), files.value().is_null()) {
            (true, true) => Some(None),
            (false, _) => self.dockerfile(&build).map(How::Dockerfile).map(Some),
            (true, false) => self.files(&files).map(How::Files).map(Some),
        };
        let platforms = self.platforms(&view.get("platforms"));
        let compression = self.parse(&view.get("compression"));
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
            source_date_epoch: 0,
        }))
    }

    fn platforms(&mut self, view: &View<'_>) -> Settled<Vec<Platform>> {
        let platforms: Vec<Platform> = self.set::<Platform>(view)?.into_iter().collect();
        match platforms.len() {
            0 if view.value().is_null() => Some(vec![Platform::linux_amd64()]),
            1 => Some(platforms),
            count => {
                let summary = format!("{count} platforms are given, and an image has exactly one");
                let detail = "Write one platform, or one `ecr_image` for each of them.";
                self.problems.push(Diagnostic::error(summary, detail).at(view.path().clone()));
                None
            }
        }
    }

    fn dockerfile(&mut self, view: &View<'_>) -> Settled<DockerfileRecipe> {
        let context = self.path(&view.get("context"));
        let dockerfile = self.read::<Option<String>>(&view.get("dockerfile"));
        let target = self.read(&view.get("target"));
        let args = self.map(&view.get("args"));
        Some(DockerfileRecipe {
            context: context?,
            dockerfile: dockerfile?.map(PathBuf::from),
            target: target?,
            args: args?,
            ..DockerfileRecipe::default()
        })
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

/// The argument that is to blame for files that cannot be read.
pub(super) fn blame(error: &ContextError, how: &How) -> Path {
    match how {
        How::Dockerfile(recipe) => {
            let of_dockerfile = matches!(
                error,
                ContextError::Missing { role: Role::Dockerfile, .. }
                    | ContextError::WrongKind { role: Role::Dockerfile, .. }
                    | ContextError::Dockerfile { .. }
            );
            let argument = match error {
                ContextError::NoStage { .. } => "target",
                _ if of_dockerfile && recipe.dockerfile.is_some() => "dockerfile",
                _ => "context",
            };
            Path::from("build").attribute(argument)
        }
        How::Files(recipe) => {
            let layers = Path::from("files").attribute("layers");
            let path = path_of(error);
            let at_fault = |layer: &LayerSource| path.is_some_and(|path| path.starts_with(&layer.source));
            match recipe.layers.iter().position(at_fault) {
                Some(index) => layers.index(index).attribute("source"),
                None => layers,
            }
        }
        How::Existing(_) => "source".into(),
    }
}

/// The argument that is to blame for a build that failed, if one is.
pub(super) fn blame_build(error: &BuildError, how: &How) -> Option<Path> {
    let (block, argument) = match (how, error) {
        (_, BuildError::Context(error)) => return Some(blame(error, how)),
        (_, BuildError::NoPlatform) => return Some("platforms".into()),
        (_, BuildError::NoStage { .. }) => ("build", "target"),
        (
            How::Files(_),
            BuildError::BaseMissing { .. }
            | BuildError::BaseUnavailable { .. }
            | BuildError::BasePlatform { .. }
            | BuildError::BaseConfig { .. },
        ) => ("files", "base"),
        _ => return None,
    };
    Some(Path::from(block).attribute(argument))
}

fn path_of(error: &ContextError) -> Option<&FilePath> {
    match error {
        ContextError::Missing { path, .. }
        | ContextError::WrongKind { path, .. }
        | ContextError::Unreadable { path, .. }
        | ContextError::Special { path, .. }
        | ContextError::Changed { path }
        | ContextError::NotUtf8 { path }
        | ContextError::Ignore { path, .. }
        | ContextError::TerraformFile { path } => Some(path),
        _ => None,
    }
}

/// What of a recipe says where to look, in a form in which equal places are equal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places(How);

/// Takes a recipe apart: where its files are, and all the rest.
pub(super) fn places(recipe: &Recipe) -> (Places, Recipe) {
    let mut rest = recipe.clone();
    let places = match &mut rest.how {
        How::Dockerfile(recipe) => {
            let dockerfile = recipe.dockerfile.take().unwrap_or_else(|| "Dockerfile".into());
            How::Dockerfile(DockerfileRecipe {
                context: plain(&std::mem::take(&mut recipe.context)),
                dockerfile: Some(plain(&dockerfile)),
                target: recipe.target.take(),
                ..DockerfileRecipe::default()
            })
        }
        How::Files(recipe) => {
            let mut layers = std::mem::take(&mut recipe.layers);
            for layer in &mut layers {
                layer.source = plain(&layer.source);
            }
            How::Files(FilesRecipe { layers, ..FilesRecipe::default() })
        }
        // What it holds is in the tree; all that is written is where it is.
        How::Existing(_) => std::mem::replace(&mut rest.how, How::Files(FilesRecipe::default())),
    };
    (Places(places), rest)
}

fn plain(path: &FilePath) -> PathBuf {
    path.components().filter(|component| *component != std::path::Component::CurDir).collect()
}

/// The plan with the paths that state has: where equal files are found is no difference.
pub(super) fn with_prior_paths(planned: Value, prior: &Value) -> Value {
    planned.map(&mut |path, value| {
        let before = prior.at(path);
        let both = value.as_str().is_some() && before.as_str().is_some();
        if both && is_a_place(path) { before.clone() } else { value }
    })
}

fn is_a_place(path: &Path) -> bool {
    use tfplugin_rs::Step::{Attribute, Index};
    match path.steps() {
        [Attribute(build), Attribute(name)] => {
            build == "build" && (name == "context" || name == "dockerfile")
        }
        [Attribute(files), Attribute(layers), Index(_), Attribute(name)] => {
            files == "files" && layers == "layers" && name == "source"
        }
        _ => false,
    }
}
