//! What is wrong with what was given, in one sentence; the line of the Dockerfile; and the way out.

use std::{fs, os::unix::fs::symlink};

use ecr_registry::{Registry, Settings};
use tokio_util::sync::CancellationToken;

use super::base::tests::Shelf;
use crate::{
    Builder, BuilderSettings, Cache, Tools, build,
    options::Engine,
    recipe::{DockerfileRecipe, FilesRecipe, How, LayerSource, Recipe},
};

/// All that is said of a build that fails: the error, its causes and the hint.
async fn said(how: How) -> [String; 2] {
    let builder = Builder::new(BuilderSettings { engine: Engine::Native, ..BuilderSettings::default() });
    let registry = Registry::new(Settings::default()).unwrap();
    let tools = Tools {
        builder: &builder,
        registry: &registry,
        destination: None,
        cache: &Cache::none(),
        progress: &(),
        cancel: &CancellationToken::new(),
    };
    let error = build(&Recipe::of(how), tools).await.unwrap_err();
    let causes = std::iter::successors(std::error::Error::source(&error), |error| error.source());
    let words = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    [words, error.hint().unwrap_or_default()]
}

/// Checks a Dockerfile in a folder with some files, an ignore file and a link that leads out of it.
async fn check(dockerfile: &str, target: Option<&str>, words: &str, hint: &str) {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("Dockerfile", dockerfile),
        (".dockerignore", "# secrets\n\n*.key\n"),
        ("server.key", ""),
        ("index.html", ""),
    ] {
        fs::write(root.path().join(name), content).unwrap();
    }
    symlink("../../etc/passwd", root.path().join("out")).unwrap();
    let how = DockerfileRecipe {
        context: root.path().into(),
        target: target.map(str::to_owned),
        ..DockerfileRecipe::default()
    };
    assert_eq!(said(How::Dockerfile(how)).await, [words, hint], "{dockerfile}");
}

#[tokio::test]
async fn mistakes_in_a_dockerfile() {
    let cannot_use = "cannot use Dockerfile `Dockerfile`: ";
    let unknown = format!("{cannot_use}line 3, column 1: unknown instruction `COPPY`");
    check("FROM scratch\n\nCOPPY a /\n", None, &unknown, "did you mean COPY?").await;
    let no_stage = "the Dockerfile has no stage `prod`";
    check("FROM scratch AS web\n", Some("prod"), no_stage, "its stages are web").await;
    let no_number = format!("{cannot_use}line 2, column 1: there is no stage `3`");
    check("FROM scratch\nCOPY --from=3 /a /\n", None, &no_number, "").await;
    let failed = |step: &str, why: &str| format!("step `{step}` (line 2 of the Dockerfile) failed: {why}");
    for (step, why, hint) in [
        (
            "COPY server.key /",
            "`server.key` is ignored by line 3 of .dockerignore",
            "write `!server.key` below it, or copy something else",
        ),
        ("COPY index.htm /", "`index.htm` is not in the context", "did you mean `index.html`?"),
        (
            "COPY out /",
            "`out` leads to `../../etc/passwd`, which is not in the context",
            "copy what it leads to into the context folder",
        ),
        (
            "COPY --chown=web index.html /",
            "the image has no files yet, so `web` can be looked up nowhere",
            "write the numbers of user and group, such as 1000:1000",
        ),
    ] {
        check(&format!("FROM scratch\n{step}\n"), None, &failed(step, why), hint).await;
    }
}

#[tokio::test]
async fn images_that_cannot_be_used() {
    let mut shelf = Shelf::default();
    shelf.image("arm", "linux/arm64");
    let host = shelf.listen().await;
    let cannot = |line: u32| format!("line {line} of the Dockerfile names an image that cannot be used: ");
    let other = format!("base image `{host}/base:arm` is not for linux/amd64");
    let arm = format!("FROM scratch AS a\nCOPY out /\nFROM {host}/base:arm\nCOPY index.html /\n");
    check(&arm, None, &format!("{}{other}", cannot(3)), "it is for linux/arm64").await;
    let copied = format!("FROM scratch\n\nCOPY --from={host}/base:arm /x /\n");
    check(&copied, None, &format!("{}{other}", cannot(3)), "it is for linux/arm64").await;
    let missing = format!("{}base image `{host}/base:none` does not exist", cannot(1));
    let hint = "check its name and tag; `base` may also be left out";
    check(&format!("FROM {host}/base:none\n"), None, &missing, hint).await;
}

#[tokio::test]
async fn files_that_cannot_be_read() {
    // Nobody can read its beginning, whoever runs this.
    let unreadable = "/proc/self/mem";
    let layer = LayerSource { source: unreadable.into(), destination: "/x".into(), mode: None };
    let how = How::Files(FilesRecipe { layers: vec![layer], ..FilesRecipe::default() });
    let words = format!("cannot read `{unreadable}`: Input/output error (os error 5)");
    let hint = "remove it, make it readable, or name it in .dockerignore";
    assert_eq!(said(how).await, [&words, hint]);
}
