//! The data source `ecr_context`: what a build would see of a folder.
//!
//! Functions have to be pure, so this is no function; and what it read is frozen in a plan, which makes `source_lock`
//! proof of what the plan saw.

use std::{collections::BTreeMap, path::PathBuf};

use image_build::{Cache, ContextError, DockerfileRecipe, How, Recipe, Sources};
use tfplugin_rs::{Call, Configured, Diagnostic, Diagnostics, Field, Object, TypedDataSource, async_trait};

use crate::{
    access::Access,
    form::given,
    image::observe,
    report::{Report, capitalized},
};

/// The data source `ecr_context`.
pub(crate) struct ContextData(pub(crate) Configured<Access>);

/// What a build would see of a folder: the files its Dockerfile can take, after the ignore rules. Nothing is asked of any
/// registry.
#[derive(Object)]
pub(crate) struct Seen {
    /// The folder, as in `build.context` of an `ecr_image`.
    #[object(validate = given())]
    context: String,
    /// The Dockerfile, relative to the context or absolute. Default: `Dockerfile` in the context.
    #[object(validate = given())]
    dockerfile: Option<String>,
    /// The stage that is built. Default: the last one.
    #[object(validate = given())]
    target: Option<String>,
    /// Whether to fill in `files`. Default: `false`.
    list_files: Option<bool>,
    /// Stands for all that was seen: equal on every machine for equal files.
    source_lock: Field<String>,
    /// Short hashes of the Dockerfile and of the top-level files and folders.
    sources: Field<BTreeMap<String, String>>,
    /// How many files there are.
    file_count: Field<u64>,
    /// How large they are together, in bytes.
    size_bytes: Field<u64>,
    /// Path to a short hash of each file; of a folder with more than 256 files, of each folder in it. Null without
    /// `list_files`.
    files: Field<BTreeMap<String, String>>,
}

#[async_trait]
impl TypedDataSource for ContextData {
    type Model = Seen;

    fn type_name(&self) -> &'static str {
        "ecr_context"
    }

    async fn read(&self, config: Seen, call: &mut Call) -> Result<Seen, Diagnostics> {
        let access = self.0.get()?;
        let how = DockerfileRecipe {
            context: PathBuf::from(&config.context),
            dockerfile: config.dockerfile.as_ref().map(PathBuf::from),
            target: config.target.clone(),
            ..DockerfileRecipe::default()
        };
        let sources =
            locked(how, &access.cache).await.map_err(|error| error.report().at(blame(&error, &config)))?;
        for warning in &sources.warnings {
            let warning = Diagnostic::warning(capitalized(&warning.to_string()), warning.hint());
            call.warnings.push(warning.at("context"));
        }
        let files = (config.list_files == Some(true)).then_some(sources.files);
        Ok(Seen {
            source_lock: sources.tree.to_string().into(),
            sources: sources.summary.into(),
            file_count: sources.file_count.into(),
            size_bytes: sources.size_bytes.into(),
            files: files.into(),
            ..config
        })
    }
}

/// What a data source sees of the context of this build, of which it knows neither arguments nor platforms: the tree
/// is the lock.
pub(crate) async fn locked(how: DockerfileRecipe, cache: &Cache) -> Result<Sources, ContextError> {
    let DockerfileRecipe { context, dockerfile, target, .. } = how;
    let how = DockerfileRecipe { context, dockerfile, target, ..DockerfileRecipe::default() };
    let recipe = Recipe::of(How::Dockerfile(how));
    observe(recipe, cache).await
}

fn blame(error: &ContextError, config: &Seen) -> &'static str {
    use image_build::Role::Dockerfile;
    match error {
        ContextError::NoStage { .. } => "target",
        ContextError::Missing { role: Dockerfile, .. }
        | ContextError::WrongKind { role: Dockerfile, .. }
        | ContextError::Dockerfile { .. }
            if config.dockerfile.is_some() =>
        {
            "dockerfile"
        }
        _ => "context",
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use tfplugin_rs::Value;

    use crate::offline::{offline, said, texts};

    async fn read(folder: &Path, more: impl IntoIterator<Item = (&str, Value)>) -> Result<Value, String> {
        let config = texts([("context", folder.to_str().unwrap())]);
        let config = more.into_iter().fold(config, |config, (name, value)| config.with(name, value));
        offline().await.data("ecr_context", config).await.map_err(|errors| said(&errors))
    }

    #[tokio::test]
    async fn equal_files_have_one_lock() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY app /\n").unwrap();
            fs::write(folder.path().join("app"), "one").unwrap();
        }
        // What no build takes, no lock has.
        fs::write(folders[1].path().join("README.md"), "read me").unwrap();
        let one = read(folders[0].path(), []).await.unwrap();
        let two = read(folders[1].path(), [("list_files", true.into())]).await.unwrap();
        for name in ["source_lock", "sources", "size_bytes"] {
            assert_eq!(one.get(name), two.get(name));
        }
        assert!(one.get("files").is_null());
        assert!(two.get("files").as_map().is_some_and(|files| files.contains_key("app")), "{two:?}");
        fs::write(folders[0].path().join("app"), "two").unwrap();
        let changed = read(folders[0].path(), []).await.unwrap();
        assert_ne!(changed.get("source_lock"), one.get("source_lock"));
    }

    #[tokio::test]
    async fn bad_input_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(&folder.path().join("nothing"), []).await.unwrap_err();
        assert!(error.starts_with("context: Context folder"), "{error}");
        let error = read(folder.path(), [("dockerfile", "Dockerfil".into())]).await.unwrap_err();
        assert!(error.starts_with("dockerfile: "), "{error}");
        fs::write(folder.path().join("Dockerfile"), "FROM scratch AS one\n").unwrap();
        let error = read(folder.path(), [("target", "two".into())]).await.unwrap_err();
        assert!(error.starts_with("target: "), "{error}");
    }
}
