use std::{collections::BTreeMap, fs, path::Path};

use ecr_registry::{BlobSource, Image, ImageConfig, Registry, Settings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Builder, Cache, Tools, buildkit,
    native::{Bases, Tried, build_dockerfile},
    recipe::How,
};

/// A context with this Dockerfile: a file `a`, a program `bin/run`, links to both, and a few more.
fn context(dockerfile: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("a", "a"),
        ("bin/run", "run"),
        ("docs/index.md", "1"),
        ("docs/notes.txt", "2"),
        ("docs/deep/x.md", "3"),
    ];
    for (name, content) in files
        .into_iter()
        .chain([("Dockerfile", dockerfile), (".dockerignore", ".dockerignore\nDockerfile\n")])
    {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let mode = if name == "bin/run" { 0o755 } else { 0o644 };
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    for (name, target) in [("to-a", "a"), ("to-bin", "bin"), ("docs/up", "../a"), ("out", "/etc/passwd")] {
        std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
    }
    root
}

fn recipe(root: &Path) -> (Recipe, DockerfileRecipe) {
    let args = [("GIVEN".to_owned(), "given".to_owned())].into();
    let how = DockerfileRecipe { context: root.into(), args, ..DockerfileRecipe::default() };
    let recipe = Recipe {
        labels: [("team".to_owned(), "shop".to_owned())].into(),
        ..Recipe::of(How::Dockerfile(how.clone()))
    };
    (recipe, how)
}

async fn built(dockerfile: &str, natively: bool) -> Result<(Image, BTreeMap<String, String>), String> {
    let root = context(dockerfile);
    let (recipe, how) = recipe(root.path());
    let registry = Registry::new(Settings::default()).unwrap();
    let builder = Builder::from_environment(|name| std::env::var(name).ok());
    let (cache, cancel) = (Cache::none(), CancellationToken::new());
    let tools = Tools {
        builder: &builder,
        registry: &registry,
        destination: None,
        cache: &cache,
        progress: &(),
        cancel: &cancel,
    };
    let context = DockerfileContext::read(&recipe, &how, &cache).unwrap();
    let platform = &recipe.platforms[0];
    let built = if natively {
        let built = build_dockerfile(&recipe, &how, platform, &context, &Bases::default(), tools).await;
        built.map_err(|tried| match tried {
            Tried::Unclear(why) => why,
            Tried::Failed(error) | Tried::NoBase(error) => error.to_string(),
        })?
    } else {
        buildkit::build(&recipe, &how, platform, context, tools).await.map_err(|error| error.to_string())?
    };
    Ok(((*built).clone(), files(&built)))
}

/// What the layers make together: path, then permissions, owner and content.
fn files(image: &Image) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for layer in &image.layers {
        let BlobSource::Bytes(bytes) = &layer.source else { panic!("{layer:?}") };
        let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(&bytes[..]));
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header().clone();
            let (uid, gid, mode) =
                (header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap() & 0o7777);
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let content = match entry.link_name().unwrap() {
                Some(link) => format!("-> {}", link.display()),
                None => std::io::read_to_string(&mut entry).unwrap(),
            };
            files.insert(path, format!("{mode:o} {uid}:{gid} {content}"));
        }
    }
    files
}

fn config(image: &Image) -> ImageConfig {
    let BlobSource::Bytes(bytes) = &image.config.source else { panic!("a file") };
    serde_json::from_slice(bytes).unwrap()
}

async fn check(dockerfile: &str, expected: &[&str]) {
    let (_, files) = built(dockerfile, true).await.unwrap();
    let lines: Vec<String> = files.iter().map(|(path, what)| format!("{path} {what}")).collect();
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    assert_eq!(lines, expected, "{dockerfile}");
}

#[tokio::test]
async fn copies_as_copy_does() {
    check("FROM scratch\nCOPY a /b\n", &["b 644 0:0 a"]).await;
    check("FROM scratch\nCOPY a /b/\n", &["b/ 755 0:0", "b/a 644 0:0 a"]).await;
    check("FROM scratch\nCOPY to-a /\n", &["to-a 644 0:0 a"]).await;
    check("FROM scratch\nCOPY to-bin /b\n", &["b/ 755 0:0", "b/run 755 0:0 run"]).await;
    check("FROM scratch\nCOPY bin a /b/\n", &["b/ 755 0:0", "b/a 644 0:0 a", "b/run 755 0:0 run"]).await;
    check("FROM scratch\nCOPY a /b\nCOPY bin/run /b\n", &["b 755 0:0 run"]).await;
    let docs =
        ["docs/ 755 0:0", "docs/deep/ 755 0:0", "docs/deep/x.md 644 0:0 3", "docs/notes.txt 644 0:0 2"];
    check("FROM scratch\nCOPY --exclude=*.md --exclude=up docs /docs\n", &docs).await;
    check("FROM scratch\nCOPY docs/up /up\n", &["up 644 0:0 a"]).await;
    let owned = ["x/ 640 1:2", "x/y/ 640 1:2", "x/y/run 640 1:2 run"];
    check("FROM scratch\nCOPY --chown=1:2 --chmod=640 bin /x/y/\n", &owned).await;
    check("FROM scratch\nCOPY --chown=7 a /\n", &["a 644 7:7 a"]).await;
    check(
        "FROM scratch\nWORKDIR /w/x\nWORKDIR ../y\nCOPY a .\n",
        &["w/ 755 0:0", "w/x/ 755 0:0", "w/y/ 755 0:0", "w/y/a 644 0:0 a"],
    )
    .await;
    check("FROM scratch\nUSER 5:6\nWORKDIR /w\n", &["w/ 755 5:6"]).await;
    let stages = "FROM scratch AS one\nCOPY --chown=3:4 docs /d\nFROM scratch\nCOPY --from=one /d/deep /x\n";
    check(&format!("{stages}COPY a /a\n"), &["a 644 0:0 a", "x/ 755 0:0", "x/x.md 644 3:4 3"]).await;
    let text = "FROM scratch\nARG GIVEN\nCOPY <<one <<\"two\" /\n$GIVEN \"$NONE\"\none\n$GIVEN\ntwo\n";
    check(text, &["one 644 0:0 given \"\"", "two 644 0:0 $GIVEN"]).await;
}

#[tokio::test]
async fn leaves_the_rest_to_buildkit() {
    let check = async |steps: &str, why: &str| {
        assert_eq!(built(&format!("FROM scratch\n{steps}\n"), true).await.unwrap_err(), why, "{steps}");
    };
    check("RUN make", "line 2: it runs a program").await;
    check("ADD http://127.0.0.1:1/a /", "line 2: ADD fetches without a checksum").await;
    check("ADD https://example.com/a.git /", "line 2: it fetches a repository").await;
    check("ADD git@example.com:a /", "line 2: it fetches a repository").await;
    check("EXPOSE 1:2", "line 2: `1:2` is no port").await;
}

#[tokio::test]
async fn says_what_is_wrong_with_a_step() {
    let check = async |step: &str, why: &str| {
        let expected = format!("step `{step}` (line 3 of the Dockerfile) failed: {why}");
        let dockerfile = format!("FROM scratch\nCOPY docs /docs\n{step}\n");
        assert_eq!(built(&dockerfile, true).await.unwrap_err(), expected);
    };
    check("COPY none /", "`none` is not in the context").await;
    check("COPY Dockerfile /", "`Dockerfile` is ignored by line 2 of .dockerignore").await;
    check("COPY out /", "`out` leads to `/etc/passwd`, which is not in the context").await;
    check("COPY --chmod=u!x a /", "`u!x` are no permissions").await;
    check("COPY --link --chown=me a /", "--link knows no names of users: write their numbers").await;
    check("COPY a /docs/notes.txt/", "`/docs/notes.txt` is no folder").await;
    check("COPY bin /docs/notes.txt", "`/docs/notes.txt` is no folder").await;
}

const SETTINGS: &str = "FROM scratch AS base
ARG NAME=web
ENV A=1 B=\"$NAME x\"
ENV A=2
LABEL a=$A \"b c\"='$A'
SHELL [\"/bin/bash\", \"-c\"]
CMD run
ONBUILD ENV C=3
FROM base
MAINTAINER Somebody
WORKDIR /srv
COPY a .
ENTRYPOINT [\"/app\"]
CMD [\"--x\"]
EXPOSE 80 53/udp 90-91
VOLUME /data [x]
USER 10
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=2s --retries=3 CMD check it
";

#[tokio::test]
async fn sets_what_the_instructions_say() {
    let config = config(&built(SETTINGS, true).await.unwrap().0);
    let run = &config.config;
    assert_eq!(run.env, [&format!("PATH={PATH}"), "A=2", "B=web x", "C=3"]);
    assert_eq!(
        run.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
        ["a=2", "b c=$A", "team=shop"]
    );
    assert_eq!(
        (run.entrypoint.clone().unwrap(), run.cmd.clone().unwrap()),
        (vec!["/app".to_owned()], vec!["--x".to_owned()])
    );
    assert_eq!(run.exposed_ports.keys().collect::<Vec<_>>(), ["53/udp", "80/tcp", "90/tcp", "91/tcp"]);
    assert_eq!((run.user.as_str(), run.working_dir.as_str()), ("10", "/srv"));
    assert_eq!(
        run.other["Healthcheck"],
        serde_json::json!({ "Test": ["CMD-SHELL", "check it"], "Interval": 2_000_000_000_u64, "Retries": 3 })
    );
    assert_eq!(run.other["StopSignal"], "SIGQUIT");
    assert!(!run.other.contains_key("OnBuild"));
    let layers = config.history.iter().filter(|step| !step.empty_layer).count();
    assert_eq!((config.rootfs.diff_ids.len(), layers), (2, 2));
    let shell = built("FROM scratch\nCOPY a /\nCMD run it\nENTRYPOINT go\n", true).await.unwrap().0;
    let run = self::config(&shell).config;
    assert_eq!(
        (run.entrypoint.unwrap().join(" "), run.cmd.unwrap().join(" ")),
        ("/bin/sh -c go".to_owned(), "/bin/sh -c run it".to_owned())
    );
}

/// The same Dockerfiles by both builders: the same files, and the same settings.
#[tokio::test]
#[ignore = "needs dockerd: builds images by the daemon that DOCKER_HOST names"]
async fn makes_what_buildkit_makes() {
    for dockerfile in [
        "FROM scratch\nCOPY a /b\n",
        "FROM scratch\nCOPY a /b/c/\nCOPY bin /b/c\n",
        "FROM scratch\nCOPY to-a to-bin /x/\n",
        "FROM scratch\nCOPY . /\n",
        "FROM scratch\nCOPY docs /x/y\nCOPY a /x\n",
        "FROM scratch\nCOPY docs/up /up\nCOPY docs/ /docs/\n",
        "FROM scratch\nCOPY --chown=1:2 docs bin/run /x/\nCOPY --chown=7 a /a\n",
        "FROM scratch\nWORKDIR /w/x\nWORKDIR ../y\nCOPY a .\nCOPY a b\n",
        "FROM scratch AS one\nCOPY --chown=3:4 docs /d\nFROM scratch\nCOPY --from=one /d/deep /x\nCOPY --from=0 /d /y\n",
        "FROM scratch\nCOPY a /one\nCOPY bin/run /one\n",
        "FROM scratch\nCOPY . /all\nCOPY a /all/to-bin/a\n",
        SETTINGS,
    ] {
        let ours = built(dockerfile, true).await.unwrap();
        let theirs = built(dockerfile, false).await.unwrap();
        assert_eq!(ours.1, theirs.1, "{dockerfile}");
        let run = |image: &Image| {
            let mut run = config(image).config;
            run.other.retain(|name, value| name != "ArgsEscaped" && !value.is_null());
            run
        };
        assert_eq!(run(&ours.0), run(&theirs.0), "{dockerfile}");
    }
}
