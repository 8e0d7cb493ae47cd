//! A buildkitd for one test, on a socket or with TLS on both sides.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image_build::{Address, ClientTls, Endpoint};
use lab::buildkitd;
use lab::cache::Cache;
use lab::process::{Service, poll_until};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

const READY: Duration = Duration::from_mins(1);

/// Ends with the test.
pub(crate) struct Buildkitd {
    pub(crate) endpoint: Endpoint,
    pub(super) service: Service,
    _disk: Option<Disk>,
    _folder: TempDir,
}

/// A disk in memory, of 48 MB.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn mount(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        mount("tmpfs", folder, "tmpfs", MountFlags::empty(), c"size=48m").unwrap();
        Self(folder.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

impl Drop for Buildkitd {
    fn drop(&mut self) {
        _ = self.service.stop(Duration::from_secs(5));
    }
}

impl Buildkitd {
    pub(crate) fn on_socket() -> Self {
        Self::on_socket_in(tempfile::tempdir().unwrap(), None, &[])
    }

    /// With this in its configuration file.
    pub(super) fn configured(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("buildkitd.toml");
        fs::write(&file, text).unwrap();
        Self::on_socket_in(folder, None, &["--config".to_owned(), file.display().to_string()])
    }

    /// With room for a few files.
    pub(super) fn on_small_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::mount(&folder.path().join("root"));
        Self::on_socket_in(folder, Some(disk), &[])
    }

    fn on_socket_in(folder: TempDir, disk: Option<Disk>, options: &[String]) -> Self {
        let address = Address::Unix(folder.path().join("buildkitd.sock"));
        let options = [&["--addr".to_owned(), address.to_string()], options].concat();
        let service = start(&folder, &options);
        let Address::Unix(socket) = &address else { unreachable!("it was just made so") };
        service.wait_until(READY, || std::os::unix::net::UnixStream::connect(socket).is_ok()).unwrap();
        let endpoint = Endpoint { address, platforms: Vec::new(), tls: None };
        Self { endpoint, service, _disk: disk, _folder: folder }
    }

    /// Knows clients and is known by certificates of `keys`.
    pub(super) fn with_tls(keys: &Keys) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| keys.folder.path().join(name).display().to_string();
        let options = [
            ("--addr", "tcp://127.0.0.1:0".to_owned()),
            ("--tlscacert", file("ca.pem")),
            ("--tlscert", file("server.pem")),
            ("--tlskey", file("server.key")),
        ];
        let options = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        let service = start(&folder, &options.collect::<Vec<_>>());
        let address = poll_until("buildkitd's port", READY, || Ok(listens(&service))).unwrap();
        let endpoint = Endpoint { address, platforms: Vec::new(), tls: Some(keys.client()) };
        Self { endpoint, service, _disk: None, _folder: folder }
    }
}

fn start(folder: &TempDir, options: &[String]) -> Service {
    buildkitd::start(&Cache::from_env().unwrap(), folder.path(), options).unwrap()
}

/// The address that it says it took.
fn listens(service: &Service) -> Option<Address> {
    let log = fs::read_to_string(&service.log).ok()?;
    let line = log.lines().find(|line| line.contains("running server on"))?;
    let place = line.split("running server on ").nth(1)?.trim_end_matches('"');
    format!("tcp://{place}").parse().ok()
}

/// An authority, and what it signed for a server on this machine and for its client.
pub(super) struct Keys {
    folder: TempDir,
}

impl Keys {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        for (name, purpose) in
            [("server", ExtendedKeyUsagePurpose::ServerAuth), ("client", ExtendedKeyUsagePurpose::ClientAuth)]
        {
            let mut params = CertificateParams::new(vec!["builder.test".to_owned()]).unwrap();
            params.extended_key_usages = vec![purpose];
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            fs::write(folder.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    pub(super) fn client(&self) -> ClientTls {
        let file = |name: &str| -> Option<PathBuf> { Some(self.folder.path().join(name)) };
        ClientTls {
            ca_file: file("ca.pem"),
            cert_file: file("client.pem"),
            key_file: file("client.key"),
            server_name: Some("builder.test".to_owned()),
        }
    }
}
