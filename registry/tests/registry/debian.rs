//! Debian's `docker-registry`: a registry that none of us wrote.

use std::{
    io::Write,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use ecr_registry::{
    Blob, BlobSource, CopyOptions, Descriptor, Digest, DockerArchive, Image, ImageConfig, Layout, Manifest,
    Reference, Repository, TagOutcome, Version, Wanted,
    content::{ImageManifest, RootFs, media_type, write_docker_archive},
};

use crate::{client, image_of, taken_from};

/// A registry process that ends with the test.
struct DockerRegistry {
    process: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl DockerRegistry {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let config = folder.path().join("config.yml");
        let storage = folder.path().join("storage");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n",
            storage.display()
        );
        std::fs::write(&config, text).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while tokio::net::TcpStream::connect(&host).await.is_err() {
            tokio::task::yield_now().await;
        }
        Self { process, host, _folder: folder }
    }

    fn repository(&self, name: &str) -> Repository {
        format!("{}/{name}", self.host).parse().unwrap()
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "needs docker-registry"]
async fn push_pull_tag_mount_and_copy() {
    let (one, two) = (DockerRegistry::start().await, DockerRegistry::start().await);
    let registry = client();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content = vec![42; 5 * 1024 * 1024 + 1];
    file.write_all(&content).unwrap();
    let layers = vec![
        Blob::of_bytes(media_type::OCI_LAYER, Bytes::from_static(b"small")),
        Blob {
            descriptor: Descriptor::of(media_type::OCI_LAYER, &content),
            source: BlobSource::File(file.path().to_path_buf()),
        },
    ];
    let big = layers[1].descriptor.clone();
    let image = image_of(layers);
    let web = one.repository("shop/web");

    let latest = Version::Tag("latest".parse().unwrap());
    assert_eq!(registry.head(&web, &latest).await.unwrap(), None);
    let report = registry.push(&web, &image, &()).await.unwrap();
    assert_eq!((report.sent.len(), report.already_there.len()), (3, 0));
    assert_eq!(report.bytes_sent, image.size() - image.manifest.raw.len() as u64);
    assert!(registry.push(&web, &image, &()).await.unwrap().manifest_already_there);

    let tag = "latest".parse().unwrap();
    assert_eq!(registry.tag(&web, &tag, &image.manifest).await.unwrap(), TagOutcome::Created);
    assert_eq!(registry.tag(&web, &tag, &image.manifest).await.unwrap(), TagOutcome::Unchanged);
    assert_eq!(registry.head(&web, &latest).await.unwrap(), Some(image.manifest.descriptor()));
    assert_eq!(registry.manifest(&web, &latest).await.unwrap(), Some(image.manifest.clone()));
    assert_eq!(registry.small_blob(&web, &image.layers[0].descriptor).await.unwrap(), "small");
    let reference = Reference { repository: web.clone(), tag: Some(tag), digest: None };
    let resolved = registry.resolve(&[reference]).await;
    assert_eq!(resolved[0].as_ref().unwrap(), &image.manifest.descriptor());

    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("layer");
    registry.download(&web, &big, &copy).await.unwrap();
    assert!(std::fs::read(&copy).unwrap() == content);

    let elsewhere = taken_from(&web, &image);
    let report = registry.push(&one.repository("copy"), &elsewhere, &()).await.unwrap();
    // The layers by what they say of themselves, the configuration since it was sent there a moment ago.
    assert_eq!((report.mounted.len(), report.sent.len()), (3, 0));
    let report = registry.push(&two.repository("copy"), &elsewhere, &()).await.unwrap();
    assert_eq!((report.mounted.len(), report.sent.len()), (0, 3));
    let found = registry.manifest(&two.repository("copy"), &image.manifest.digest.into()).await.unwrap();
    assert_eq!(found.unwrap().raw, image.manifest.raw);
}

#[tokio::test]
#[ignore = "needs docker-registry and skopeo"]
async fn an_index_and_its_signature_are_copied_and_read_by_skopeo() {
    let (one, two) = (DockerRegistry::start().await, DockerRegistry::start().await);
    let (web, copy) = (one.repository("shop/web"), two.repository("copy"));
    let (registry, tree) = (client(), crate::tree());
    let tag = "v1".parse().unwrap();
    registry.push_tree(&web, &tree, &[tag], &()).await.unwrap();
    registry.push(&web, &crate::copy::signature(&tree.root, b"signed"), &()).await.unwrap();
    let from = Reference::pinned(web, tree.root.digest);
    let options =
        CopyOptions { referrers: true, tags: vec!["v2".parse().unwrap()], ..CopyOptions::default() };
    let report = registry.copy(&from, &copy, &options, &()).await.unwrap();
    assert_eq!((report.pushed.sent.len(), report.referrers.len()), (4 + 2, 1));
    let reference = format!("docker://{copy}:v2");
    let raw = tokio::task::spawn_blocking(move || {
        run("skopeo", &["inspect", "--raw", "--tls-verify=false", &reference])
    });
    assert_eq!(raw.await.unwrap().as_bytes(), tree.root.raw);
    assert_eq!(registry.referrers(&copy, tree.root.digest).await.unwrap().len(), 1);
}

/// Runs a program to its end.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// An image that can be unpacked: each layer has one file.
fn unpackable(files: &[(&str, &str)]) -> Image {
    let layers = files.iter().map(|(name, content)| {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
        Blob::of_bytes(media_type::OCI_LAYER, archive.into_inner().unwrap().into())
    });
    let layers: Vec<Blob> = layers.collect();
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| layer.descriptor.digest).collect();
    let (architecture, os) = ("amd64".to_owned(), "linux".to_owned());
    let rootfs = RootFs { diff_ids, ..RootFs::default() };
    let config = ImageConfig { architecture, os, rootfs, ..ImageConfig::default() };
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, [].into());
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

#[test]
#[ignore = "needs skopeo and umoci"]
fn others_read_what_is_written_here_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let image = unpackable(&[("one", "1"), ("two", "2")]);
    let mut layout = Layout::create(path("layout")).unwrap();
    layout.add(&image.clone().into(), Some("v1")).unwrap();

    let (ours, rootfs) = (format!("{}:v1", path("layout")), path("rootfs"));
    run("umoci", &["unpack", "--rootless", "--image", &ours, &rootfs]);
    assert_eq!(std::fs::read_to_string(format!("{rootfs}/rootfs/two")).unwrap(), "2");
    let ours = format!("oci:{ours}");
    let raw = run("skopeo", &["inspect", "--raw", &ours]);
    assert_eq!(raw.as_bytes(), image.manifest.raw);

    let theirs = path("theirs.tar");
    run("skopeo", &["copy", &ours, &format!("docker-archive:{theirs}:ghcr.io/shop/web:v1")]);
    let read = DockerArchive::open(&theirs).unwrap().image(Some("ghcr.io/shop/web:v1")).unwrap();
    let diff_ids =
        |image: &Image| -> Vec<Digest> { image.layers.iter().map(|layer| layer.descriptor.digest).collect() };
    assert_eq!(diff_ids(&read), diff_ids(&image));

    let names = vec!["ghcr.io/shop/web:v2".parse().unwrap()];
    let archive = std::fs::File::create(path("ours.tar")).unwrap();
    write_docker_archive(&[(read, names)], archive).unwrap();
    let (archive, copied) =
        (format!("docker-archive:{}", path("ours.tar")), format!("oci:{}:c", path("copied")));
    run("skopeo", &["copy", &archive, &copied]);
    let layout = Layout::open(path("copied")).unwrap();
    layout.verify(layout.find(Some("c")).unwrap()).unwrap();
    let tree = layout.tree(layout.find(None).unwrap(), &Wanted::All).unwrap();
    assert_eq!(tree.images[0].layers.len(), 2);
}
