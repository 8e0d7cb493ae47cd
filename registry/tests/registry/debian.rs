//! Debian's `docker-registry`: a registry that none of us wrote.

use std::{
    io::Write,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use ecr_registry::{
    Blob, BlobSource, Descriptor, Reference, Repository, TagOutcome, Version, content::media_type,
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
    assert_eq!((report.mounted.len(), report.sent.len()), (2, 1));
    let report = registry.push(&two.repository("copy"), &elsewhere, &()).await.unwrap();
    assert_eq!((report.mounted.len(), report.sent.len()), (0, 3));
    let found = registry.manifest(&two.repository("copy"), &image.manifest.digest.into()).await.unwrap();
    assert_eq!(found.unwrap().raw, image.manifest.raw);
}
