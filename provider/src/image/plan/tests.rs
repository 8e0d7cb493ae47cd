//! Whole plans on real folders, judged by the rules by which Terraform judges them. No registry is asked.

#![expect(clippy::field_reassign_with_default, reason = "requests can be made in no other way")]

use std::{collections::BTreeMap, fs, path::Path};

use image_build::DockerfileRecipe;
use tempfile::TempDir;
use tfplugin_rs::{ClientCapabilities, Private, ReadRequest, Step, check};

use super::*;
use crate::{
    access::Ways,
    image::{read, schema::schema},
};

const REPOSITORY: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web";

/// A process of the provider, asked by one kind of client.
struct Process {
    access: Access,
    capabilities: ClientCapabilities,
}

const VERSIONS: [(&str, bool); 3] = [("1.15.9", false), ("1.16.0", true), ("1.13.0", false)];

fn process((version, stores_planned_private): (&str, bool), applying: bool) -> Process {
    let tells = version != "1.13.0";
    Process {
        access: Access::new(Ways { default_labels: Some(BTreeMap::new()), ..Ways::default() }, version),
        capabilities: ClientCapabilities {
            deferral_allowed: applying && tells,
            stores_planned_private,
            ..ClientCapabilities::default()
        },
    }
}

fn context(content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    fs::write(folder.path().join("app"), content).unwrap();
    folder
}

fn config(context: &Path, tags: &[&str]) -> Value {
    let build = Value::object([("context", Value::from(context.to_str().unwrap()))]);
    let config = Value::object([("repository", Value::from(REPOSITORY)), ("build", build)])
        .with("tags", tags.iter().map(|tag| Value::from(*tag)).collect::<Vec<_>>());
    schema().complete(config).unwrap()
}

impl Process {
    /// What core does before it asks: computed arguments that are not written keep their prior value.
    async fn plan(
        &self,
        prior: &Value,
        private: &Private,
        config: &Value,
        planned: Option<&Private>,
    ) -> Result<PlanResponse, String> {
        let mut proposed = config.clone();
        for (name, value) in prior.as_map().into_iter().flatten() {
            let computed =
                !matches!(name.as_str(), "tags" | "build" | "files" | "labels" | "annotations" | "triggers");
            if computed && config.get(name).is_null() {
                proposed.set(name, value.clone());
            }
        }
        let mut request = PlanRequest::default();
        request.prior = prior.clone();
        request.proposed = proposed;
        request.config = config.clone();
        request.prior_private = private.clone();
        request.planned_private = planned.cloned();
        request.client = self.capabilities;
        let mut response = super::plan(&self.access, request).await.map_err(|problems| {
            let texts = problems.iter().map(|problem| format!("{}\n{}", problem.summary, problem.detail));
            texts.collect::<Vec<_>>().join("\n")
        })?;
        response.planned = schema().complete(response.planned).unwrap();
        let faults = check::plan(&schema(), prior, config, &response.planned);
        assert!(faults.is_empty(), "{faults:?}");
        Ok(response)
    }

    async fn refresh(&self, state: &Value, private: &Private) -> Private {
        let mut request = ReadRequest::default();
        request.state = state.clone();
        request.private = private.clone();
        request.client = self.capabilities;
        let response = read::read(&self.access, request).await.unwrap();
        assert_eq!(response.state, *state);
        response.private
    }
}

/// The state after an apply, as if the image had been built and pushed.
async fn applied(config: &Value) -> (Value, Private) {
    let planned =
        process(VERSIONS[1], false).plan(&Value::Null, &Private::default(), config, None).await.unwrap();
    let mut state = planned.planned;
    let content = Content { digest: Digest::of(b"image"), platform_digests: [].into(), size_bytes: 1 };
    set_content(&mut state, &content, Some(&REPOSITORY.parse().unwrap()));
    let tree: Option<Tree> = Memory::of(&planned.private).witness.map(|witness| witness.tree);
    (state, Memory { built: tree, ..Memory::default() }.to_private())
}

fn known(response: &PlanResponse) -> [bool; 2] {
    ["source_hash", "digest"].map(|name| response.planned.get(name).is_known())
}

#[tokio::test]
async fn creates() {
    let folder = context("one");
    for version in VERSIONS {
        let config = config(folder.path(), &["latest"]);
        let plan =
            process(version, false).plan(&Value::Null, &Private::default(), &config, None).await.unwrap();
        assert_eq!(known(&plan), [version.1, false], "{version:?}");
        let sources = plan.planned.get("sources");
        assert_eq!(sources.is_known(), version.1);
        assert!(!version.1 || sources.as_map().unwrap().keys().eq(["Dockerfile", "app"]), "{sources:?}");
        let second = process(version, true)
            .plan(&Value::Null, &Private::default(), &config, version.1.then_some(&plan.private))
            .await
            .unwrap();
        assert!(check::replan(&schema(), &plan.planned, &second.planned).is_empty());
    }
}

#[tokio::test]
async fn a_lock_proves_what_it_saw() {
    let folder = context("one");
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nARG FILE=app\nCOPY ${FILE} /\n").unwrap();
    fs::write(folder.path().join("other"), "two").unwrap();
    let planning = process(VERSIONS[0], false);
    let how = DockerfileRecipe { context: folder.path().to_owned(), ..DockerfileRecipe::default() };
    let lock = locked(how, &planning.access.cache).await.unwrap().tree.to_string();
    let config = |file: &str| {
        let args = Value::object([("FILE", Value::from(file))]);
        let build = config(folder.path(), &[]).get("build").clone().with("args", args);
        config(folder.path(), &[]).with("build", build).with("source_lock", &*lock)
    };
    for (file, proved) in [("app", true), ("other", false)] {
        let plan = planning.plan(&Value::Null, &Private::default(), &config(file), None).await.unwrap();
        assert_eq!(known(&plan), [proved, false], "{file}");
    }
    fs::write(folder.path().join("app"), "changed").unwrap();
    for file in ["app", "other"] {
        let refused =
            planning.plan(&Value::Null, &Private::default(), &config(file), None).await.unwrap_err();
        assert!(refused.contains("not those that source_lock is of"), "{refused}");
    }
}

#[tokio::test]
async fn plans_nothing_for_the_same_files_in_any_folder() {
    let folder = context("one");
    let (state, private) = applied(&config(folder.path(), &["latest"])).await;
    for version in VERSIONS {
        for elsewhere in [folder.path(), context("one").path()] {
            let process = process(version, false);
            let unchanged =
                process.plan(&state, &private, &config(elsewhere, &["latest"]), None).await.unwrap();
            assert_eq!(unchanged.planned, state, "without a refresh");
            let refreshed = process.refresh(&state, &private).await;
            assert_eq!(refreshed, private, "a refresh with nothing new changes nothing");
        }
    }
    // A folder that is gone is no error for Read.
    drop(folder);
    assert_eq!(process(VERSIONS[0], false).refresh(&state, &private).await, private);
}

#[tokio::test]
async fn shows_a_change_and_refuses_another_one_later() {
    for version in VERSIONS {
        for (tags, file) in [(&["latest"][..], "two"), (&["latest", "v2"], "two"), (&["v2"], "one")] {
            let folder = context("one");
            let (state, private) = applied(&config(folder.path(), &["latest"])).await;
            let config = config(folder.path(), tags);
            fs::write(folder.path().join("app"), file).unwrap();
            let planning = process(version, false);
            let refreshed = planning.refresh(&state, &private).await;
            let plan = planning.plan(&state, &refreshed, &config, None).await.unwrap();
            let changed = file == "two";
            assert_eq!(known(&plan), [true, !changed], "{version:?} {tags:?}");
            assert_eq!(plan.planned.get("sources") != state.get("sources"), changed);
            assert!(plan.requires_replace.is_empty());

            let stored = version.1.then_some(&plan.private);
            let applying = process(version, true);
            let second = applying.plan(&state, &refreshed, &config, stored).await.unwrap();
            assert!(check::replan(&schema(), &plan.planned, &second.planned).is_empty());

            fs::write(folder.path().join("app"), "three").unwrap();
            let error = applying.plan(&state, &refreshed, &config, stored).await.unwrap_err();
            assert!(
                error.contains("./app was ") && error.contains("Plan again"),
                "{version:?} {tags:?}: {error}"
            );
        }
    }
}

#[tokio::test]
async fn replaces_in_another_repository_only() {
    let folder = context("one");
    let (state, private) = applied(&config(folder.path(), &[])).await;
    for repository in [Value::from(format!("{REPOSITORY}2")), Value::Unknown] {
        let config = config(folder.path(), &[]).with("repository", repository);
        let plan = process(VERSIONS[0], false).plan(&state, &private, &config, None).await.unwrap();
        assert_eq!(plan.requires_replace, ["repository".into()]);
        assert_eq!(known(&plan), [false, false]);
    }
}

#[tokio::test]
async fn waits_for_what_is_unknown() {
    let folder = context("one");
    let (state, private) = applied(&config(folder.path(), &[])).await;
    let unknown = Value::object([("version", Value::Unknown)]);
    // With an unknown trigger the folder may yet have to be made.
    let missing = config(&folder.path().join("generated"), &[]).with("triggers", unknown);
    for version in VERSIONS {
        let plan = process(version, false).plan(&state, &private, &missing, None).await.unwrap();
        assert_eq!(known(&plan), [false, false]);
    }
}

#[tokio::test]
async fn blames_the_argument() {
    let folder = context("one");
    let path = |name: &str| Value::from(folder.path().join(name).to_str().unwrap());
    let build =
        |context: Value, dockerfile: Value| Value::object([("context", context), ("dockerfile", dockerfile)]);
    let layer = Value::object([("source", path("nothing")), ("destination", "/".into())]);
    let files = Value::object([("layers", Value::list([layer]))]);
    for (argument, value, blamed, summary) in [
        ("build", build(path("nothing"), Value::Null), "build.context", "Context folder `"),
        ("build", build(path(""), "Dockerfil".into()), "build.dockerfile", "Dockerfile `"),
        ("files", files, "files.layers[0].source", "Layer source `"),
    ] {
        let config =
            Value::object([("repository", REPOSITORY)].map(|(name, text)| (name, Value::from(text))));
        let mut request = PlanRequest::default();
        request.config = schema().complete(config.with(argument, value)).unwrap();
        request.proposed = request.config.clone();
        let problems = super::plan(&process(VERSIONS[0], false).access, request).await.unwrap_err();
        let problem = problems.iter().next().unwrap();
        assert_eq!(problem.attribute.as_ref().unwrap().to_string(), blamed);
        assert!(
            problem.summary.starts_with(summary) && problem.summary.ends_with("does not exist"),
            "{problem:?}"
        );
        assert!(problem.detail.contains("hint: "), "{problem:?}");
    }
}

#[test]
fn paths_are_not_content() {
    let value = |context: &str, target: &str| {
        Value::object([(
            "build",
            Value::object([("context", Value::from(context)), ("target", target.into())]),
        )])
    };
    assert_eq!(with_prior_paths(value("/b", "x"), &value("/a", "y")), value("/a", "x"));
    let step = Step::Attribute("build".to_owned());
    assert_eq!(
        with_prior_paths(value("/b", "x"), &Value::Null)
            .at(&tfplugin_rs::Path::root().then(step))
            .get("context"),
        &"/b".into()
    );
}
