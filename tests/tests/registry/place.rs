//! A registry to meet in, our client of it, and what others need to know.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ecr_registry::{Endpoints, Registry, Repository, Settings};
use lab::aws::{Aws, Keys, REGION};
use lab::base;
use lab::emulator::{Emulator, Options};
use lab::front::{Front, Settings as FrontSettings};
use lab::http::answers;
use lab::lab::Lab;
use lab::process::poll_until;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const READY: Duration = Duration::from_mins(1);

pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    /// User and password, where one is asked for.
    pub(crate) login: Option<(String, String)>,
    pub(crate) registry: Registry,
    /// The host that our references name.
    host: String,
    name: String,
    runtime: Runtime,
    _serving: Serving,
}

/// What serves it, until it is dropped.
#[expect(dead_code, reason = "held for what happens when it is dropped")]
enum Serving {
    Debian(Process, TempDir),
    MiniStack(Front),
    Emulator(Emulator),
}

/// A program that ends with the test.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Place {
    /// Debian's `docker-registry`, which asks nobody who they are.
    pub(crate) fn debian() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (config, storage) = (folder.path().join("config.yml"), folder.path().join("storage"));
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            storage.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process(command.spawn().expect("docker-registry is installed"));
        poll_until("docker-registry", READY, || Ok(answers(address, "/v2/").then_some(()))).unwrap();
        let registry = Registry::new(Settings::default()).unwrap();
        Self {
            address,
            login: None,
            registry,
            host: address.to_string(),
            name: "shop/web".to_owned(),
            runtime: Runtime::new().unwrap(),
            _serving: Serving::Debian(process, folder),
        }
    }

    /// MiniStack, behind a front of this build.
    pub(crate) fn ministack(lab: &Lab) -> Self {
        let (runtime, name) = (Runtime::new().unwrap(), lab.unique("meet"));
        let front = runtime.block_on(Front::start(FrontSettings::before(lab.ministack()))).unwrap();
        let aws = Aws::at(front.address(), Keys::root());
        aws.ecr("CreateRepository", &json!({ "repositoryName": name })).unwrap();
        let token = aws.ecr("GetAuthorizationToken", &json!({})).unwrap();
        let token = token["authorizationData"][0]["authorizationToken"].as_str().unwrap().to_owned();
        let login = String::from_utf8(BASE64_STANDARD.decode(token).unwrap()).unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let host = base::registry();
        Self {
            address: front.address(),
            login: Some((user.to_owned(), password.to_owned())),
            registry: client(&host, front.address(), &Keys::root(), REGION),
            host,
            name,
            runtime,
            _serving: Serving::MiniStack(front),
        }
    }

    /// The emulator. What others push may leave it to the request to say what a manifest is: few did so from the start.
    pub(crate) fn emulator() -> Self {
        let runtime = Runtime::new().unwrap();
        let emulator =
            runtime.block_on(Emulator::start(Options { strict: false, ..Options::default() })).unwrap();
        emulator.create("shop/web");
        let (address, host) = (emulator.address(), emulator.host());
        Self {
            address,
            login: Some(emulator.login()),
            registry: client(&host, address, &emulator.keys(), "eu-central-1"),
            host,
            name: "shop/web".to_owned(),
            runtime,
            _serving: Serving::Emulator(emulator),
        }
    }

    pub(crate) fn repository(&self) -> Repository {
        format!("{}/{}", self.host, self.name).parse().unwrap()
    }

    /// The same by its address.
    pub(crate) fn reached(&self) -> String {
        format!("{}/{}", self.address, self.name)
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

/// Our client of an ECR at this address.
fn client(host: &str, address: SocketAddr, keys: &Keys, region: &str) -> Registry {
    let credentials = Credentials::new(&keys.id, &keys.secret, None, None, "test");
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let map = BTreeMap::from([(host.to_owned(), format!("http://{address}"))]);
    let endpoints = Endpoints::parse(&map).unwrap();
    Registry::new(Settings { aws: Some(aws), endpoints, ..Settings::default() }).unwrap()
}
