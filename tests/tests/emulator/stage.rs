//! An emulator, AWS's own client, and plain HTTP for what no client would send.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_ecr::config::retry::RetryConfig;
use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lab::emulator::{Emulator, Options};
use lab::http::{Answer, exchange};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// The emulator with these repositories.
pub(crate) async fn start(options: Options, repositories: &[&str]) -> Emulator {
    let ecr = Emulator::start(options).await.unwrap();
    for repository in repositories {
        ecr.create(repository);
    }
    ecr
}

/// AWS's client, which tries nothing twice.
pub(crate) fn sdk(ecr: &Emulator) -> aws_sdk_ecr::Client {
    let keys = ecr.keys();
    let config = aws_sdk_ecr::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(ecr.url())
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(keys.id, keys.secret, None, None, "test"));
    aws_sdk_ecr::Client::from_conf(config.build())
}

pub(crate) fn digest(bytes: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

pub(crate) fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
}

/// A caller of the registry protocol, in a repository of its own.
pub(crate) struct Client {
    pub(crate) ecr: Emulator,
    pub(crate) repository: String,
    authorization: String,
    /// Serves the emulator while this one blocks.
    _runtime: Runtime,
}

impl Client {
    pub(crate) fn new(options: Options) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let runtime = Runtime::new().unwrap();
        let repository = format!("shop/web-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let ecr = runtime.block_on(start(options, &[&repository]));
        let (user, password) = ecr.login();
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        Self { ecr, repository, authorization, _runtime: runtime }
    }

    /// A request in the repository; a path that begins with a slash is one of the whole registry.
    pub(crate) fn try_send(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let (method, path) = line.split_once(' ').unwrap();
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("/v2/{}/{path}", self.repository) };
        let own = [("host", self.ecr.address().to_string()), ("authorization", self.authorization.clone())];
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let given = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let headers: Vec<_> =
            own.filter(|(name, _)| !headers.iter().any(|given| given.0 == *name)).chain(given).collect();
        exchange(self.ecr.address(), method, &path, &headers, body)
    }

    pub(crate) fn send(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(line, headers, body).unwrap()
    }

    pub(crate) fn ask(&self, line: &str) -> Answer {
        self.send(line, &[], b"")
    }

    /// A new upload, as its path.
    pub(crate) fn upload(&self) -> String {
        let location = self.ask("POST blobs/uploads/").header("location").unwrap().to_owned();
        location.split_once(&format!("/v2/{}/", self.repository)).unwrap().1.to_owned()
    }

    pub(crate) fn patch(&self, upload: &str, bytes: usize, headers: &[(&str, &str)]) -> Answer {
        self.send(&format!("PATCH {upload}"), headers, &vec![7; bytes])
    }

    /// Pushes a blob in one request.
    pub(crate) fn blob(&self, bytes: &[u8]) -> Answer {
        let upload = self.upload();
        self.send(&format!("PUT {upload}?digest={}", digest(bytes)), &[], bytes)
    }

    pub(crate) fn put(&self, version: &str, kind: &str, manifest: &Value) -> Answer {
        let body = manifest.to_string();
        self.send(&format!("PUT manifests/{version}"), &[("content-type", kind)], body.as_bytes())
    }

    /// Pushes an image of one layer; its manifest.
    pub(crate) fn image(&self, tag: &str, layer: &[u8]) -> Value {
        for bytes in [b"{}".as_slice(), layer] {
            assert_eq!(self.blob(bytes).status, 201);
        }
        let manifest = manifest(layer);
        assert_eq!(self.put(tag, MANIFEST, &manifest).status, 201);
        manifest
    }

    pub(crate) fn set(&self, action: &str, mut input: Value) {
        if input["repositoryName"].is_null() {
            input["repositoryName"] = json!(self.repository);
        }
        self.ecr.api(action, &input).unwrap();
    }
}

/// An image of one layer with an empty configuration.
pub(crate) fn manifest(layer: &[u8]) -> Value {
    let layer = descriptor("application/vnd.oci.image.layer.v1.tar", layer);
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, b"{}"), "layers": [layer] })
}

pub(crate) fn index(children: &[&Value]) -> Value {
    let children = children.iter().map(|child| descriptor(MANIFEST, child.to_string().as_bytes()));
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children.collect::<Vec<_>>() })
}
