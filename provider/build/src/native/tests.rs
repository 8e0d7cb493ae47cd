use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use ecr_registry::{Blob, BlobSource, Image, ImageConfig, ManifestKind, Registry};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    compress::LayerWriter,
    recipe::{Compression, How},
};

fn service(umask: u32) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let add = |name: &str, content: &[u8], mode: u32| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode & !umask)).unwrap();
    };
    add("bin/web", b"ELF", 0o755);
    add("bin/sub/data.txt", &b"0123456789abcdef\n".repeat(200_000), 0o644);
    std::os::unix::fs::symlink("web", root.path().join("bin/latest")).unwrap();
    add("config.json", b"{}", 0o640);
    root
}

fn recipe(root: &Path, compression: Compression) -> (Recipe, FilesRecipe) {
    let layer = |source: &str, destination: &str, mode| LayerSource {
        source: root.join(source),
        destination: destination.into(),
        mode,
    };
    let files = FilesRecipe {
        layers: vec![layer("bin", "/app/bin", None), layer("config.json", "/etc/web/", Some(0o600))],
        entrypoint: Some(vec!["/app/bin/web".into()]),
        env: [("PORT".into(), "8080".into()), ("HOME".into(), "/app".into())].into(),
        user: Some("1000:1000".into()),
        workdir: Some("/app".into()),
        ..FilesRecipe::default()
    };
    let recipe = Recipe {
        compression,
        labels: [("team".into(), "shop".into())].into(),
        annotations: [("org.example.a".into(), "b".into())].into(),
        ..Recipe::of(How::Files(files.clone()))
    };
    (recipe, files)
}

pub(super) async fn built(recipe: &Recipe) -> Result<Built, BuildError> {
    built_until(recipe, &CancellationToken::new()).await
}

async fn built_until(recipe: &Recipe, cancel: &CancellationToken) -> Result<Built, BuildError> {
    let registry = Registry::new(ecr_registry::Settings::default()).unwrap();
    let (builder, cache) = (crate::Builder::default(), Cache::none());
    crate::build(
        recipe,
        Tools {
            builder: &builder,
            registry: &registry,
            destination: None,
            cache: &cache,
            progress: &(),
            cancel,
        },
    )
    .await
}

fn bytes(blob: &Blob) -> Vec<u8> {
    match &blob.source {
        BlobSource::Bytes(bytes) => bytes.to_vec(),
        BlobSource::File(path) => fs::read(path).unwrap(),
        other @ (BlobSource::Part { .. } | BlobSource::Registry(_)) => panic!("{other:?}"),
    }
}

pub(super) fn config_of(image: &Image) -> ImageConfig {
    serde_json::from_slice(&bytes(&image.config)).unwrap()
}

/// Same inputs, same bytes: these digests change with nothing but the format of images.
#[tokio::test]
async fn golden_digests() {
    for (compression, expected) in [
        (Compression::Gzip, "sha256:3040c62acea384275d3cde4ec24bf63cf08e399400915e62daf17f47d993d0a6"),
        (Compression::Zstd, "sha256:c8bd0c36232a14c7089e1249478a77aa6dc1c32eefdb908fa897e780e86a5bd2"),
    ] {
        let root = service(0);
        let image = built(&recipe(root.path(), compression).0).await.unwrap();
        assert_eq!(image.manifest.digest.to_string(), expected, "{compression}");
    }
}

#[tokio::test]
async fn time_umask_and_place_change_no_byte() {
    let (one, other) = (service(0), service(0o077));
    let old = SystemTime::now() - Duration::from_hours(24_000);
    fs::File::open(other.path().join("bin/web")).unwrap().set_modified(old).unwrap();
    let one = built(&recipe(one.path(), Compression::Gzip).0).await.unwrap();
    let other = built(&recipe(other.path(), Compression::Gzip).0).await.unwrap();
    assert_eq!(one.manifest, other.manifest);
    assert_eq!(one.sources(), other.sources());
}

#[tokio::test]
async fn a_changed_file_changes_its_layer_alone() {
    let root = service(0);
    let before = built(&recipe(root.path(), Compression::Gzip).0).await.unwrap();
    fs::write(root.path().join("config.json"), "{ }").unwrap();
    let after = built(&recipe(root.path(), Compression::Gzip).0).await.unwrap();
    let digests =
        |image: &Image| image.layers.iter().map(|layer| layer.descriptor.digest).collect::<Vec<_>>();
    assert_eq!(digests(&before)[0], digests(&after)[0]);
    assert_ne!(digests(&before)[1], digests(&after)[1]);
}

#[tokio::test]
async fn tar_reads_the_layers() {
    let root = service(0);
    let image = built(&recipe(root.path(), Compression::Gzip).0).await.unwrap();
    let listing = |layer: usize| {
        let mut tar = Command::new("tar")
            .args(["--list", "--verbose", "--gzip", "--numeric-owner", "--utc"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&bytes(&image.layers[layer])).unwrap();
        let output = tar.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        listing(0),
        [
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 app/",
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 app/bin/",
            "lrwxrwxrwx 0/0 0 1970-01-01 00:00 app/bin/latest -> web",
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 app/bin/sub/",
            "-rw-r--r-- 0/0 3400000 1970-01-01 00:00 app/bin/sub/data.txt",
            "-rwxr-xr-x 0/0 3 1970-01-01 00:00 app/bin/web",
        ]
    );
    assert_eq!(
        listing(1),
        [
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/",
            "drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/web/",
            "-rw------- 0/0 2 1970-01-01 00:00 etc/web/config.json",
        ]
    );
}

#[tokio::test]
async fn configuration_and_manifest_say_what_was_asked_for() {
    let root = service(0);
    let image = built(&recipe(root.path(), Compression::Zstd).0).await.unwrap();
    let config = config_of(&image);
    assert_eq!(config.created.as_deref(), Some("1970-01-01T00:00:00Z"));
    assert_eq!(config.config.env, ["HOME=/app", "PORT=8080"]);
    assert_eq!(config.config.entrypoint.as_deref(), Some(&["/app/bin/web".to_owned()][..]));
    assert_eq!((config.config.user.as_str(), config.config.working_dir.as_str()), ("1000:1000", "/app"));
    assert_eq!(config.config.labels["team"], "shop");
    assert_eq!((config.rootfs.diff_ids.len(), config.history.len()), (2, 2));
    let unpacked = zstd::decode_all(&bytes(&image.layers[0])[..]).unwrap();
    assert_eq!(ecr_registry::Digest::of(&unpacked), config.rootfs.diff_ids[0]);
    let ManifestKind::Image(manifest) = &image.manifest.kind else { panic!("an index") };
    assert_eq!(manifest.annotations["org.example.a"], "b");
    assert!(manifest.layers[0].media_type.ends_with("tar+zstd"));
}

#[tokio::test]
async fn large_layers_are_files_that_go_away() {
    let root = tempfile::tempdir().unwrap();
    let mut noise = vec![0; 20 << 20];
    aws_lc_rs::rand::fill(&mut noise).unwrap();
    fs::write(root.path().join("noise"), &noise).unwrap();
    let (mut recipe, mut files) = recipe(root.path(), Compression::Gzip);
    files.layers = vec![LayerSource { source: root.path().into(), destination: "/".into(), mode: None }];
    recipe.how = How::Files(files);
    let image = built(&recipe).await.unwrap();
    let BlobSource::File(path) = image.layers[0].source.clone() else { panic!("in memory") };
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let content = fs::read(&path).unwrap();
    assert_eq!(ecr_registry::Digest::of(&content), image.layers[0].descriptor.digest);
    assert_eq!(content.len() as u64, image.layers[0].descriptor.size);
    drop(image);
    assert!(!path.exists());
}

#[test]
fn a_layer_onto_a_base_leaves_the_bases_folders_alone() {
    let root = service(0);
    let source = LayerSource { source: root.path().join("bin"), destination: "/usr/bin".into(), mode: None };
    let parts = Part::read_all(&[source], &Cache::none()).unwrap();
    let folders = |onto_base| {
        let nodes = changes::of_part(&parts[0], None, onto_base);
        nodes.into_keys().filter(|path| !path.contains("bin/")).collect::<Vec<_>>()
    };
    assert_eq!(folders(false), ["usr", "usr/bin"]);
    assert!(folders(true).is_empty());
}

#[test]
fn a_file_that_changed_since_it_was_looked_at_is_an_error() {
    let root = service(0);
    let (recipe, files) = recipe(root.path(), Compression::Gzip);
    for content in ["EL", "ELFX", "FLE"] {
        let parts = Part::read_all(&files.layers, &Cache::none()).unwrap();
        fs::write(root.path().join("bin/web"), content).unwrap();
        let scratch = TempDir::new().unwrap();
        let writer = LayerWriter::new(recipe.compression, &scratch).unwrap();
        let nodes = changes::of_part(&parts[0], None, false);
        let error = BuildError::from(changes::write(&nodes, None, 0, writer).err().unwrap());
        let path = root.path().join("bin/web");
        assert_eq!(error.to_string(), format!("`{}` changed while it was read", path.display()));
        assert_eq!(error.hint().unwrap(), "run again when nothing writes to it, or name it in .dockerignore");
        fs::write(path, "ELF").unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_build_ends() {
    let root = service(0);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let result = built_until(&recipe(root.path(), Compression::Gzip).0, &cancel).await;
    assert_eq!(result.unwrap_err().to_string(), "the build was cancelled");
}
