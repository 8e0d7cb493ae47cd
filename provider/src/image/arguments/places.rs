//! Where arguments say that files are, and which argument is to blame for them.

use std::path::{Path as FilePath, PathBuf};

use image_build::{BuildError, ContextError, DockerfileRecipe, FilesRecipe, How, LayerSource, Recipe, Role};
use tfplugin_rs::{Path, Value};

/// The argument that is to blame for files that cannot be read.
pub(in crate::image) fn blame(error: &ContextError, how: &How) -> Path {
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
                _ if of_dockerfile && recipe.dockerfile_inline.is_some() => "dockerfile_inline",
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
pub(in crate::image) fn blame_build(error: &BuildError, how: &How) -> Option<Path> {
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
pub(in crate::image) struct Places(How);

/// Takes a recipe apart: where its files are, and all the rest.
pub(in crate::image) fn places(recipe: &Recipe) -> (Places, Recipe) {
    let mut rest = recipe.clone();
    let places = match &mut rest.how {
        How::Dockerfile(recipe) => {
            let dockerfile = recipe.dockerfile.take().unwrap_or_else(|| "Dockerfile".into());
            How::Dockerfile(DockerfileRecipe {
                context: plain(&std::mem::take(&mut recipe.context)),
                dockerfile: Some(plain(&dockerfile)),
                dockerfile_inline: recipe.dockerfile_inline.take(),
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
pub(in crate::image) fn with_prior_paths(planned: Value, prior: &Value) -> Value {
    planned.map(&mut |path, value| {
        let before = prior.at(path);
        let both = value.as_str().is_some() && before.as_str().is_some();
        if both && is_a_place(path) { before.clone() } else { value }
    })
}

fn is_a_place(path: &Path) -> bool {
    use tfplugin_rs::Step::{Attribute, Index};
    match path.steps() {
        [Attribute(argument), Attribute(name)] => match argument.as_str() {
            "build" => name == "context" || name == "dockerfile",
            other => other == "source",
        },
        [Attribute(files), Attribute(layers), Index(_), Attribute(name)] => {
            files == "files" && layers == "layers" && name == "source"
        }
        _ => false,
    }
}
