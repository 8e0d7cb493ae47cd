//! What is pushed to: Debian's registry with its storage in memory, or the sink; near, or at a distance.

use std::cell::RefCell;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::delay::Delay;
use super::image::{Images, MANIFEST, TAG};
use super::sink::Sink;
use crate::http::{Answer, answers, exchange};
use crate::packages;
use crate::process::{SHORT, Service};

/// What kind of registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Kind {
    /// Debian's docker-registry.
    Distribution,
    /// A registry that throws all bodies away.
    Sink,
}

/// A registry at a distance.
pub(in crate::bench) struct Server {
    /// Where clients reach it.
    pub(in crate::bench) address: SocketAddr,
    near: SocketAddr,
    registry: RefCell<Registry>,
    _delay: Option<Delay>,
}

enum Registry {
    Sink(Sink),
    Distribution { folder: TempDir, running: Option<Service> },
}

const GRACE: Duration = Duration::from_secs(5);
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

impl Server {
    pub(in crate::bench) fn start(kind: Kind, round_trip: Duration) -> Result<Self> {
        let (registry, near) = match kind {
            Kind::Sink => {
                let sink = Sink::start()?;
                let address = sink.address;
                (Registry::Sink(sink), address)
            }
            Kind::Distribution => {
                let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
                (Registry::Distribution { folder: in_memory()?, running: None }, address)
            }
        };
        let delay = (!round_trip.is_zero()).then(|| Delay::start(near, round_trip)).transpose()?;
        let address = delay.as_ref().map_or(near, |delay| delay.address);
        let server = Self { address, near, registry: RefCell::new(registry), _delay: delay };
        server.empty()?;
        Ok(server)
    }

    /// Makes it a registry that nobody ever pushed to.
    pub(in crate::bench) fn empty(&self) -> Result<()> {
        let mut registry = self.registry.borrow_mut();
        let (folder, running) = match &mut *registry {
            Registry::Sink(sink) => {
                sink.empty();
                return Ok(());
            }
            Registry::Distribution { folder, running } => (folder, running),
        };
        if let Some(service) = running.take() {
            service.stop(GRACE)?;
        }
        let (config, storage) = (folder.path().join("config.yml"), folder.path().join("storage"));
        crate::cache::remove(&storage)?;
        let (near, storage) = (self.near, storage.display());
        fs::write(
            &config,
            format!(
                "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    \
                 rootdirectory: {storage}\nhttp:\n  addr: {near}\n"
            ),
        )?;
        let program = packages::find("docker-registry").context("docker-registry is missing")?;
        let mut command = Command::new(program);
        command.arg("serve").arg(config);
        let service = Service::start("docker-registry", &mut command, folder.path().join("log"))?;
        let near = self.near;
        let up = service.wait_until(SHORT, || answers(near, "/v2/"));
        *running = Some(service);
        up
    }

    /// Puts the first image there; by the short way.
    pub(in crate::bench) fn fill(&self, images: &Images, repository: &str) -> Result<()> {
        let manifest = fs::read(images.root.join("blobs").join(images.digest.replace(':', "/")))?;
        if let Registry::Sink(sink) = &*self.registry.borrow() {
            sink.serve(&images.root);
        } else {
            images.blobs.iter().try_for_each(|(path, digest)| self.put_blob(repository, path, digest))?;
        }
        self.ask("PUT", &format!("/v2/{repository}/manifests/{TAG}"), MANIFEST, &manifest).map(drop)
    }

    fn put_blob(&self, repository: &str, path: &Path, digest: &str) -> Result<()> {
        let kind = "application/octet-stream";
        let session = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), kind, b"")?;
        let session = session.header("location").context("no place for a blob")?;
        let session = session.strip_prefix(&format!("http://{}", self.near)).unwrap_or(session);
        self.ask("PUT", &format!("{session}&digest={digest}"), kind, &fs::read(path)?).map(drop)
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer> {
        let headers = [("host", self.near.to_string()), ("content-type", kind.to_owned())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let answer = exchange(self.near, method, path, &headers, body)?;
        ensure!(answer.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
        Ok(answer)
    }

    /// That the image is there; by the short way.
    pub(super) fn check(&self, repository: &str, tag: &str) -> Result<()> {
        self.manifest(repository, tag).map(drop)
    }

    /// The image's manifest; by the short way.
    pub(in crate::bench) fn manifest(&self, repository: &str, tag: &str) -> Result<String> {
        let headers =
            [("host".to_owned(), self.near.to_string()), ("accept".to_owned(), MANIFESTS.to_owned())];
        let path = format!("/v2/{repository}/manifests/{tag}");
        let answer = exchange(self.near, "GET", &path, &headers, b"")?;
        ensure!(answer.status == 200, "`{repository}:{tag}` is not there: {}", answer.status);
        Ok(answer.body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Registry::Distribution { running: Some(service), .. } = self.registry.get_mut() {
            _ = service.stop(GRACE); // what is left is a process that nobody asks
        }
    }
}

/// A folder in memory where there is one.
pub(super) fn in_memory() -> Result<TempDir> {
    let memory = PathBuf::from("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}
