//! A corpus of Dockerfiles, built here and by BuildKit: the same files, permissions, owners and settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use ecr_registry::{BlobSource, Digest, ImageConfig, Manifest, ManifestKind, Registry, Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    Bases, Tried,
    base::tests::{Layer, Shelf},
    build_dockerfile,
    file_system::join,
};
use crate::{
    Builder, Cache, Tools,
    context::DockerfileContext,
    dockerfile::{FLAGS, INSTRUCTIONS},
    recipe::{DockerfileRecipe, How, Recipe},
};

/// Names and Dockerfiles.
fn rows() -> Vec<(&'static str, &'static str)> {
    let text = include_str!("corpus/rows.txt");
    text.split("=== ").skip(1).filter_map(|row| row.split_once('\n')).collect()
}

/// What is left to BuildKit.
const NOT_HERE: [&str; 6] =
    ["RUN", "RUN --mount", "RUN --network", "RUN --security", "RUN --device", "ADD --keep-git-dir"];

#[test]
fn has_every_instruction_and_flag() {
    let rows = rows();
    assert!(rows.len() >= 60, "{}", rows.len());
    let names: BTreeSet<&str> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), rows.len());
    let has = |wanted: &str| {
        let (keyword, flag) = wanted.split_once(' ').unwrap_or((wanted, ""));
        let mut lines = rows.iter().flat_map(|(_, text)| text.lines());
        lines.any(|line| line.starts_with(keyword) && line.contains(flag))
    };
    let flags =
        FLAGS.iter().flat_map(|(name, flags)| flags.iter().map(move |(flag, _)| format!("{name} --{flag}")));
    for wanted in INSTRUCTIONS.iter().map(|keyword| (*keyword).to_owned()).chain(flags) {
        assert!(NOT_HERE.contains(&&*wanted) || has(&wanted), "no row has {wanted}");
    }
}

/// Path, type, content or target, permissions, owner.
type Entry<'a> = (&'a str, tar::EntryType, &'a str, u32, u64);

fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, content, mode, owner) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_uid(*owner);
        header.set_gid(*owner);
        header.set_mtime(0);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_size(0);
            builder.append_link(&mut header, path, content).unwrap();
        } else {
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A base image with what a distribution has: lists of users, links for folders, odd owners, things that are gone.
fn base() -> Vec<Layer> {
    use tar::EntryType::{Directory as D, Link as H, Regular as F, Symlink as S};
    let below = [
        ("etc/", D, "", 0o755, 0),
        ("etc/passwd", F, "root:x:0:0::/root:/bin/sh\napp:x:101:102::/home/app:/bin/sh\n", 0o644, 0),
        ("etc/group", F, "root:x:0:\nstaff:x:50:\n", 0o644, 0),
        ("etc/motd", F, "hello", 0o600, 5),
        ("etc/alias", S, "motd", 0o777, 0),
        ("gone/", D, "", 0o700, 0),
        ("gone/old", F, "old", 0o644, 0),
        ("opaque/", D, "", 0o711, 3),
        ("opaque/old", F, "old", 0o644, 0),
        ("tmp/", D, "", 0o1777, 0),
        ("usr/", D, "", 0o755, 0),
        ("usr/bin/", D, "", 0o755, 0),
        ("usr/bin/hard1", F, "hard", 0o755, 0),
        ("usr/bin/hard2", H, "usr/bin/hard1", 0o755, 0),
        ("usr/lib/", D, "", 0o755, 0),
        ("usr/lib/libx.so.1", S, "libx.so.1.2", 0o777, 0),
        ("usr/lib/libx.so.1.2", F, "library", 0o644, 0),
        ("lib", S, "usr/lib", 0o777, 0),
        ("run/", D, "", 0o755, 0),
        ("var/", D, "", 0o755, 0),
        ("var/run", S, "/run", 0o777, 0),
        ("home/", D, "", 0o755, 0),
        ("home/app/", D, "", 0o750, 101),
    ];
    let above = [
        (".wh.gone", F, "", 0o644, 0),
        ("opaque/", D, "", 0o711, 3),
        ("opaque/.wh..wh..opq", F, "", 0o644, 0),
        ("opt/", D, "", 0o755, 0),
        ("opt/app/", D, "", 0o770, 101),
        ("opt/app/old", F, "old", 0o4755, 101),
    ];
    let layer = |entries: &[Entry<'_>]| {
        let tar = tar(entries);
        Layer { diff_id: Digest::of(&tar), bytes: gzip(&tar) }
    };
    vec![layer(&below), layer(&above)]
}

const BASE_SETTINGS: &str = r#"{
    "User": "app", "Env": ["PATH=/bin", "A=1"], "Entrypoint": ["/old"], "Cmd": ["old"], "WorkingDir": "/home/app",
    "Labels": {"base": "yes"}, "ExposedPorts": {"1/tcp": {}}, "Volumes": {"/v": {}}, "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD", "x"]}, "OnBuild": ["ENV FROM_BASE=yes"]
}"#;

/// Where both builders find the base image and what `ADD` fetches.
struct Stock {
    host: String,
    blob: Digest,
    layers: BTreeMap<Digest, Vec<u8>>,
}

async fn stock() -> Stock {
    let (mut shelf, layers) = (Shelf::default(), base());
    let settings = serde_json::from_str(BASE_SETTINGS).unwrap();
    shelf.image_of("corpus", "linux/amd64", settings, &layers);
    let blob = gzip(&tar(&[("in", tar::EntryType::Regular, "in", 0o644, 0)]));
    shelf.plain("/blob/some.tar.gz", &blob);
    let digests = layers.into_iter().map(|layer| (Digest::of(&layer.bytes), layer.bytes)).collect();
    Stock { host: shelf.listen().await, blob: Digest::of(&blob), layers: digests }
}

impl Stock {
    fn dockerfile(&self, row: &str) -> String {
        let image = format!("{}/base:corpus", self.host);
        row.replace("BASE", &image).replace("CHECKSUM", &self.blob.to_string()).replace("HOST", &self.host)
    }
}

fn context(dockerfile: &str) -> TempDir {
    use tar::EntryType::{Directory as D, Regular as F, Symlink as S};
    let pack = [
        ("in/", D, "", 0o750, 4),
        ("in/a", F, "packed", 0o600, 4),
        ("in/link", S, "a", 0o777, 4),
        ("implied/file", F, "file", 0o755, 6),
    ];
    let root = tempfile::tempdir().unwrap();
    let archive = tar(&pack);
    let files: [(&str, &[u8]); 13] = [
        ("a", b"a"),
        ("bin/run", b"run"),
        ("deep/x.md", b"other"),
        ("docs/index.md", b"1"),
        ("docs/notes.txt", b"2"),
        ("docs/deep/x.md", b"3"),
        ("odd*name", b"odd"),
        ("passwd", b"web:x:11:12::/:\n"),
        ("group", b"staff:x:13:\n"),
        ("pack.tar", &archive),
        ("pack.tar.gz", &gzip(&archive)),
        ("Dockerfile", dockerfile.as_bytes()),
        (".dockerignore", b".dockerignore\nDockerfile\n"),
    ];
    let allow = |name: &str, mode| {
        fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, content) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        allow(name, if name == "bin/run" { 0o755 } else { 0o644 });
    }
    for folder in ["bin", "deep", "docs", "docs/deep"] {
        allow(folder, 0o755);
    }
    for (name, target) in [("to-a", "a"), ("to-bin", "bin"), ("docs/up", "../a")] {
        std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
    }
    root
}

/// Files by their paths, and settings.
type Seen = (BTreeMap<String, String>, Value);

async fn ours(root: &Path, stock: &Stock) -> Result<Seen, String> {
    let args = [("GIVEN".to_owned(), "given".to_owned())].into();
    let how = DockerfileRecipe { context: root.into(), args, ..DockerfileRecipe::default() };
    let recipe = Recipe::of(How::Dockerfile(how.clone()));
    let registry = Registry::new(Settings::default()).unwrap();
    let (builder, cache, cancel) = (Builder::default(), Cache::none(), CancellationToken::new());
    let tools = Tools {
        builder: &builder,
        registry: &registry,
        destination: None,
        cache: &cache,
        progress: &(),
        cancel: &cancel,
    };
    let context = DockerfileContext::read(&recipe, &how, &cache).map_err(|error| error.to_string())?;
    let platform = &recipe.platforms[0];
    let built = build_dockerfile(&recipe, &how, platform, &context, &Bases::default(), tools).await;
    let built = built.map_err(|tried| match tried {
        Tried::Unclear(why) => why,
        Tried::Failed(error) | Tried::NoBase(error) => error.to_string(),
    })?;
    let layers = built.layers.iter().map(|layer| match &layer.source {
        BlobSource::Bytes(bytes) => bytes.to_vec(),
        BlobSource::Registry(_) => stock.layers[&layer.descriptor.digest].clone(),
        other => panic!("{other:?}"),
    });
    let BlobSource::Bytes(config) = &built.config.source else { panic!("a file") };
    Ok((flat(layers), settings(config)))
}

/// What the layers make together: path, then kind, permissions, owner and content.
fn flat(layers: impl Iterator<Item = Vec<u8>>) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for layer in layers {
        let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(&layer[..]));
        let mut fresh: BTreeMap<String, String> = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let path = path.trim_end_matches('/').trim_start_matches("./").to_owned();
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            match name.strip_prefix(".wh.") {
                Some(".wh..opq") => files.retain(|path, _| !path.starts_with(&format!("{folder}/"))),
                Some(name) => {
                    let gone = join(folder, name);
                    files.retain(|path, _| *path != gone && !path.starts_with(&format!("{gone}/")));
                }
                None => {
                    let said = said(entry, |other| fresh.get(other).or_else(|| files.get(other)).cloned());
                    fresh.insert(path, said);
                }
            }
        }
        for (path, _) in fresh.iter().filter(|(_, said)| !said.starts_with("folder")) {
            files.retain(|other, _| !other.starts_with(&format!("{path}/")));
        }
        files.extend(fresh);
    }
    files.remove("");
    files
}

fn said<R: Read>(mut entry: tar::Entry<'_, R>, of: impl Fn(&str) -> Option<String>) -> String {
    let header = entry.header().clone();
    let link = entry.link_name().unwrap().map(|link| link.display().to_string());
    let owner = (header.uid().unwrap(), header.gid().unwrap());
    match link {
        Some(other) if header.entry_type().is_hard_link() => of(&other).unwrap(),
        Some(target) => format!("-> {target} {}:{}", owner.0, owner.1),
        None => {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let kind = if header.entry_type().is_dir() { "folder" } else { "file" };
            let mode = header.mode().unwrap() & 0o7777;
            format!("{kind} {} {mode:o} {}:{}", Digest::of(&bytes).short(), owner.0, owner.1)
        }
    }
}

fn settings(config: &[u8]) -> Value {
    let mut config: ImageConfig = serde_json::from_slice(config).unwrap();
    config.config.other.retain(|name, value| name != "ArgsEscaped" && !value.is_null());
    let platform = config.platform().to_string();
    serde_json::json!({
        "config": config.config, "platform": platform, "author": config.other.get("author"),
    })
}

#[tokio::test]
async fn builds_the_corpus_without_a_daemon() {
    let stock = stock().await;
    let mut wrong = Vec::new();
    for (name, row) in rows() {
        let root = context(&stock.dockerfile(row));
        if let Err(why) = ours(root.path(), &stock).await {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn theirs(root: &Path, host: &str) -> Result<Seen, String> {
    let to = tempfile::tempdir().unwrap();
    let local = |name: &str| format!("{name}={}", root.display());
    let built = Command::new(std::env::var("BUILDCTL").unwrap_or_else(|_| "buildctl".to_owned()))
        .args(["--addr", host, "build", "--frontend", "dockerfile.v0", "--opt", "build-arg:GIVEN=given"])
        .args([
            "--opt",
            "platform=linux/amd64",
            "--local",
            &local("context"),
            "--local",
            &local("dockerfile"),
        ])
        .args(["--output", &format!("type=oci,tar=false,dest={}", to.path().display())])
        .output()
        .unwrap();
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).lines().rev().take(3).collect());
    }
    let blob = |digest: &Digest| fs::read(to.path().join("blobs/sha256").join(digest.hex())).unwrap();
    let parsed = |raw: Vec<u8>| Manifest::parse("", raw.into()).unwrap().kind;
    let mut kind = parsed(fs::read(to.path().join("index.json")).unwrap());
    while let ManifestKind::Index(index) = &kind {
        kind = parsed(blob(&index.manifests[0].digest));
    }
    let ManifestKind::Image(image) = kind else { panic!("an index") };
    let layers = image.layers.iter().map(|layer| blob(&layer.digest));
    Ok((flat(layers), settings(&blob(&image.config.digest))))
}

#[tokio::test]
#[ignore = "needs buildkitd: builds by the one that BUILDKIT_HOST names"]
async fn makes_what_buildkit_makes_of_the_corpus() {
    let host = std::env::var("BUILDKIT_HOST").unwrap();
    let stock = stock().await;
    let mut wrong = Vec::new();
    for (name, row) in rows() {
        let root = context(&stock.dockerfile(row));
        let ours = ours(root.path(), &stock).await;
        let (path, host) = (root.path().to_owned(), host.clone());
        let theirs = tokio::task::spawn_blocking(move || theirs(&path, &host)).await.unwrap();
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => {}
            (Ok(ours), Ok(theirs)) => wrong.push(format!("{name}:{}", differences(&ours, &theirs))),
            (ours, theirs) => wrong.push(format!("{name}: {:?}, {:?}", ours.err(), theirs.err())),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows().len(), wrong.join("\n"));
}

fn differences(ours: &Seen, theirs: &Seen) -> String {
    let paths: BTreeSet<&String> = ours.0.keys().chain(theirs.0.keys()).collect();
    let differing = paths.into_iter().filter(|path| ours.0.get(*path) != theirs.0.get(*path));
    let lines =
        differing.map(|path| format!("\n  {path}: {:?}, theirs {:?}", ours.0.get(path), theirs.0.get(path)));
    let settings = (ours.1 != theirs.1).then(|| format!("\n  {}\n  theirs {}", ours.1, theirs.1));
    lines.chain(settings).collect()
}
