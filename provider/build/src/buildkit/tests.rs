//! Against a real daemon: `DOCKER_HOST` names its socket. The base image is a static busybox.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, OnceLock},
    time::Duration,
};

use ecr_registry::{BlobSource, Image, ImageConfig, Registry, Settings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Builder, BuilderSettings, Cache, Engine, Progress, Sockets,
    archive::{Archive, Header, Kind},
    observe,
    options::NamedContext,
    recipe::How,
};

const BASE: &str = "image-build-test/base:1";

fn docker_cli(arguments: &[&str], input: &[u8]) -> String {
    let mut docker = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the docker command is needed to prepare a base image");
    docker.stdin.take().unwrap().write_all(input).unwrap();
    let output = docker.wait_with_output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Puts busybox into the daemon as an image, once.
fn base() -> &'static str {
    static BASE_IMAGE: OnceLock<()> = OnceLock::new();
    BASE_IMAGE.get_or_init(|| {
        let busybox = fs::read("/bin/busybox").expect("busybox-static is needed for a base image");
        let mut tar = Archive::new(Vec::new());
        let mut add = |path: &str, kind: Kind, content: &[u8]| {
            let (path, size) = (path.as_bytes().to_owned(), content.len() as u64);
            let attributes = BTreeMap::new();
            tar.add(&Header { path, kind, mode: 0o755, uid: 0, gid: 0, size, mtime: 0, attributes }, content)
                .unwrap();
        };
        add("bin/busybox", Kind::File, &busybox);
        for name in ["sh", "cat", "echo", "sleep", "ls", "stat", "touch", "head"] {
            add(&format!("bin/{name}"), Kind::Link(b"busybox".to_vec()), b"");
        }
        docker_cli(&["import", "-", BASE], &tar.finish().unwrap());
    });
    BASE
}

fn context(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content.replace("BASE", base())).unwrap();
    }
    root
}

fn recipe(root: &Path) -> (Recipe, DockerfileRecipe) {
    let dockerfile = DockerfileRecipe { context: root.into(), ..DockerfileRecipe::default() };
    let recipe = Recipe {
        labels: [("team".into(), "shop".into())].into(),
        ..Recipe::of(How::Dockerfile(dockerfile.clone()))
    };
    (recipe, dockerfile)
}

fn builder() -> Builder {
    assert!(std::env::var("DOCKER_HOST").is_ok(), "DOCKER_HOST is not set");
    let docker = Sockets::from_environment(|name| std::env::var(name).ok());
    Builder::new(BuilderSettings { engine: Engine::Docker, docker, ..BuilderSettings::default() })
}

async fn built_with(
    recipe: &Recipe,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Built, BuildError> {
    let registry = Registry::new(Settings::default()).unwrap();
    let (builder, cache) = (builder(), Cache::none());
    crate::build(
        recipe,
        Tools { builder: &builder, registry: &registry, destination: None, cache: &cache, progress, cancel },
    )
    .await
}

async fn built(recipe: &Recipe) -> Result<Built, BuildError> {
    built_with(recipe, &(), &CancellationToken::new()).await
}

/// The files of the image's upper layers and what is in them.
fn files(image: &Image) -> BTreeMap<String, (String, u64)> {
    let mut files = BTreeMap::new();
    for layer in &image.layers[1..] {
        let bytes = match &layer.source {
            BlobSource::Bytes(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(&bytes[..]));
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            files.insert(name, (content, entry.header().mtime().unwrap()));
        }
    }
    files
}

const SERVICE: [(&str, &str); 5] = [
    (
        "Dockerfile",
        "FROM BASE AS build\nARG WHO=nobody\nWORKDIR /app\nCOPY . .\nRUN echo hello $WHO > out && touch later\nFROM build AS test\nRUN exit 1\nFROM build\nENV A=1\nCMD [\"/bin/cat\", \"/app/out\"]\n",
    ),
    (".dockerignore", "*.md\n.dockerignore\nDockerfile\n"),
    ("README.md", "not for the image"),
    ("src/main.c", "int main;"),
    ("terraform.tfstate", "secret"),
];

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn builds_a_dockerfile() {
    let root = context(&SERVICE);
    let (mut recipe, mut dockerfile) = recipe(root.path());
    dockerfile.args = [("WHO".to_owned(), "world".to_owned())].into();
    recipe.how = How::Dockerfile(dockerfile);
    let lines = Mutex::new(Vec::new());
    let progress = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let image = built_with(&recipe, &progress, &CancellationToken::new()).await.unwrap();
    let files = files(&image);
    let text = |name: &str| files.get(name).map(|(text, _)| text.as_str());
    assert_eq!((text("app/out"), text("app/src/main.c")), (Some("hello world\n"), Some("int main;")));
    assert_eq!(
        (text("app/README.md"), text("app/terraform.tfstate"), text("app/Dockerfile")),
        (None, None, None)
    );
    assert!(files.values().all(|(_, mtime)| *mtime == 0), "{files:?}");
    assert_eq!(*image.sources(), observe(&recipe, &Cache::none()).unwrap());
    let config: ImageConfig = match &image.config.source {
        BlobSource::Bytes(bytes) => serde_json::from_slice(bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(config.config.cmd.unwrap(), ["/bin/cat", "/app/out"]);
    assert_eq!(config.config.labels["team"], "shop");
    assert_eq!(config.created.as_deref(), Some("1970-01-01T00:00:00Z"));
    assert_eq!(config.rootfs.diff_ids.len(), image.layers.len());
    let lines = lines.into_inner().unwrap();
    assert!(lines.iter().any(|line| line.contains("RUN echo hello")), "{lines:?}");
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn the_same_steps_give_the_same_bytes_later() {
    let digest = async |umask: u32, epoch: u64| {
        let root = context(&SERVICE);
        fs::set_permissions(root.path().join("src/main.c"), fs::Permissions::from_mode(0o644 & !umask))
            .unwrap();
        let (mut recipe, mut dockerfile) = recipe(root.path());
        recipe.source_date_epoch = epoch;
        // To prune the builder instead would fell it: Docker 20.10 falls over another build that looks for its base then.
        dockerfile.options.no_cache = true;
        recipe.how = How::Dockerfile(dockerfile);
        built(&recipe).await.unwrap().manifest.digest
    };
    assert_eq!(digest(0, 0).await, digest(0o077, 0).await);
    assert_ne!(digest(0, 0).await, digest(0, 1).await);
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn a_change_that_keeps_the_size_is_seen() {
    let root = context(&SERVICE);
    let (recipe, _) = recipe(root.path());
    for content in ["int main;", "int mine;", "int main;"] {
        fs::write(root.path().join("src/main.c"), content).unwrap();
        let image = built(&recipe).await.unwrap();
        assert_eq!(files(&image)["app/src/main.c"].0, content);
    }
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn the_daemon_keeps_no_image() {
    let root = context(&SERVICE);
    let (mut recipe, _) = recipe(root.path());
    let label = random_label();
    recipe.labels = [(label.clone(), "1".to_owned())].into();
    built(&recipe).await.unwrap();
    assert_eq!(docker_cli(&["images", "--all", "--quiet", "--filter", &format!("label={label}")], b""), "");
}

fn random_label() -> String {
    format!("test-{}", solve::random_id())
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn many_large_files_arrive_whole() {
    let root = context(&[("Dockerfile", "FROM BASE\nCOPY . /\n")]);
    let mut noise = vec![0; 12 << 20];
    aws_lc_rs::rand::fill(&mut noise).unwrap();
    fs::write(root.path().join("noise"), &noise).unwrap();
    for index in 0..10_000 {
        fs::write(root.path().join(format!("file-{index}")), index.to_string()).unwrap();
    }
    std::os::unix::fs::symlink("file-7", root.path().join("link")).unwrap();
    let image = built(&recipe(root.path()).0).await.unwrap();
    let BlobSource::File(path) = &image.layers[1].source else { panic!("in memory") };
    let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(fs::File::open(path).unwrap()));
    let mut found = 0;
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        match name.strip_prefix("file-") {
            Some(index) => assert_eq!(content, index.as_bytes()),
            None if name == "noise" => assert!(content == noise),
            None => continue,
        }
        found += 1;
    }
    assert_eq!(found, 10_001);
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn says_what_is_wrong() {
    let check = async |files: &[(&str, &str)], target: Option<&str>, message: &str, hint: Option<&str>| {
        let root = context(files);
        let (mut recipe, mut dockerfile) = recipe(root.path());
        dockerfile.target = target.map(str::to_owned);
        recipe.how = How::Dockerfile(dockerfile);
        let error = built(&recipe).await.unwrap_err();
        let cause = match &error {
            BuildError::OnLine { source, .. } => format!(": {source}"),
            _ => String::new(),
        };
        assert_eq!(
            (format!("{error}{cause}").replace(base(), "BASE"), error.hint().as_deref()),
            (message.to_owned(), hint)
        );
    };
    check(
        &SERVICE,
        Some("deploy"),
        "the Dockerfile has no stage `deploy`",
        Some("its stages are build, test"),
    )
    .await;
    check(
        &[("Dockerfile", "FROM BASE\n\nRUN echo one && \\\n  echo two && \\\n  exit 3\n")],
        None,
        "step `[2/2] RUN echo one &&   echo two &&   exit 3` (line 3 of the Dockerfile) failed: executor \
         failed running [/bin/sh -c echo one &&   echo two &&   exit 3]: exit code: 3\n  one\n  two",
        None,
    )
    .await;
    check(&[("Dockerfile", "FROM BASE\nCOPY none /\n")], None, "step `[2/2] COPY none /` (line 2 of the Dockerfile) failed: failed to compute cache key: \"/none\" not found: not found", Some("see whether it is in the context folder, and not ignored by .dockerignore")).await;
    check(
        &[("Dockerfile", "FROM BASE\nRUM x\n")],
        None,
        "cannot use Dockerfile `Dockerfile`",
        Some("did you mean RUN?"),
    )
    .await;
    check(
        &[("Dockerfile", "FROM 127.0.0.1:1/none:1\n")],
        None,
        "line 1 of the Dockerfile names an image that cannot be used: \
         cannot get base image `127.0.0.1:1/none:1`: failed to do request: \
         Head \"http://127.0.0.1:1/v2/none/manifests/1\": dial tcp 127.0.0.1:1: connect: connection refused",
        Some("check its name and tag, whether this machine reaches its registry, and the credentials for it"),
    )
    .await;
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn a_daemon_that_is_too_old_says_so() {
    let root = context(&SERVICE);
    let (mut recipe, mut dockerfile) = recipe(root.path());
    dockerfile.contexts = [("lib".to_owned(), NamedContext::Local(root.path().to_owned()))].into();
    recipe.how = How::Dockerfile(dockerfile);
    let version = docker_cli(&["version", "--format", "{{.Server.Version}}"], b"");
    let is_old = version.split('.').next().unwrap().parse::<u32>().unwrap() < 24;
    match built(&recipe).await {
        Ok(_) => assert!(!is_old, "{version}"),
        Err(error) => {
            let words = error.to_string();
            assert!(is_old && words.starts_with("the Docker daemon at `unix://"), "{words}");
            assert!(
                words.ends_with("and `contexts` needs 24.0") && words.contains(version.trim()),
                "{words}"
            );
            let hint = "update Docker, or give a buildkitd in the provider's `builder`";
            assert_eq!(error.hint().unwrap(), hint);
        }
    }
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn a_cancelled_build_leaves_nothing_running() {
    let root = context(&[("Dockerfile", "FROM BASE\nRUN sleep 86399\n")]);
    let (recipe, _) = recipe(root.path());
    let cancel = CancellationToken::new();
    let progress = |line: &str| {
        if line.contains("RUN sleep") {
            cancel.cancel();
        }
    };
    let error = built_with(&recipe, &progress, &cancel).await.unwrap_err();
    assert_eq!(error.to_string(), "the build was cancelled");
    let running = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let mut lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
        lines.any(|line| line == b"sleep\x0086399\x00")
    };
    let gone = async {
        while running() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), gone).await.expect("the step goes on");
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn the_daemon_gets_what_is_copied_and_nothing_else() {
    let check = async |dockerfile: &str, expected: &[&str]| {
        let root =
            context(&[("Dockerfile", dockerfile), ("a/b", "1"), ("a/c", "1"), ("d", "1"), ("e f", "1")]);
        std::os::unix::fs::symlink("a/c", root.path().join("link")).unwrap();
        let image = built(&recipe(root.path()).0).await.unwrap();
        let files = files(&image).into_keys().filter(|name| name.starts_with("x/") && !name.ends_with('/'));
        let copied: Vec<String> = files.collect();
        assert_eq!(copied, expected, "{dockerfile}");
    };
    check("FROM BASE\nCOPY a/b d /x/\n", &["x/b", "x/d"]).await;
    check("FROM BASE\nCOPY link /x/\n", &["x/link"]).await;
    check("FROM BASE\nCOPY a* /x/\nCOPY [\"e f\", \"/x/\"]\n", &["x/b", "x/c", "x/e f"]).await;
}

#[tokio::test]
#[ignore = "needs dockerd: builds an image by the daemon that DOCKER_HOST names"]
async fn a_base_image_that_copies_on_its_own_ends_the_build() {
    let base = "image-build-test/trigger:1";
    let nothing = Archive::new(Vec::new()).finish().unwrap();
    docker_cli(&["import", "--change", "ONBUILD COPY . /all", "-", base], &nothing);
    let root = context(&[("Dockerfile", &format!("FROM {base}\nCOPY a /x/\n")), ("a", ""), ("b", "")]);
    let error = built(&recipe(root.path()).0).await.unwrap_err();
    let message = "the build asks for `.` of the context, which no instruction of the Dockerfile copies";
    assert_eq!(error.to_string(), message);
    assert!(error.hint().unwrap().contains("ONBUILD"));
}
