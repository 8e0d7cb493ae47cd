//! TLS with a company's own certificate authority.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use ecr_registry::{Authorities, Certificates, Endpoints, ErrorKind, Registry, Settings, Tag, Trouble};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
        server::WebPkiClientVerifier,
    },
};

use crate::{fake::Fake, settings};

/// TLS before a registry, by a certificate of an authority that nobody knows.
pub(crate) struct Tls {
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Tls {
    /// For one who calls it by any of these names.
    pub(crate) async fn before(fake: &Fake, names: &[&str]) -> Self {
        Self::that_asks(fake, names, false).await
    }

    /// The same, maybe only for those who show a certificate of that authority.
    async fn that_asks(fake: &Fake, names: &[&str], asks: bool) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();

        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = if asks {
            let mine = KeyPair::generate().unwrap();
            let client = CertificateParams::new(Vec::new()).unwrap().signed_by(&mine, &authority).unwrap();
            std::fs::write(folder.path().join("client.pem"), client.pem()).unwrap();
            std::fs::write(folder.path().join("client.key"), mine.serialize_pem()).unwrap();
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            config.with_client_cert_verifier(verifier.unwrap())
        } else {
            config.with_no_client_auth()
        };
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(forward(listener, TlsAcceptor::from(Arc::new(config)), fake.host.clone()));
        Self { address, folder, task }
    }

    /// The file with the authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, acceptor: TlsAcceptor, to: String) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, to) = (acceptor.clone(), to.clone());
        connections.spawn(async move {
            let mut inside = TcpStream::connect(to).await.unwrap();
            if let Ok(mut outside) = acceptor.accept(stream).await {
                _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await; // ends as its client likes
            }
        });
    }
}

#[tokio::test]
async fn a_companys_own_authority_is_trusted_where_it_is_named() {
    let fake = Fake::start().await;
    let tls = Tls::before(&fake, &["127.0.0.1"]).await;
    let mapping = format!("tls.test=https://{}", tls.address);
    let head = async |settings: Settings| {
        let endpoints = Endpoints::parse_text(&mapping).unwrap();
        let registry = Registry::new(Settings { endpoints, ..settings }).unwrap();
        registry.head(&"tls.test/web".parse().unwrap(), &Tag::latest().into()).await
    };
    let error = head(settings()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::NoAnswer { trouble: Trouble::Tls, .. }), "{error:?}");
    assert_eq!(fake.take_log().len(), 0);

    let authorities = Authorities::default().with_file(tls.authority()).unwrap();
    assert_eq!(head(Settings { authorities, ..settings() }).await.unwrap(), None);
    for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let lookup = |name: &str| (name == variable).then(|| tls.authority().into_os_string());
        assert_eq!(
            head(settings().with_network_of_machine(lookup).unwrap()).await.unwrap(),
            None,
            "{variable}"
        );
    }
    assert_eq!(fake.take_log().len(), 3);
}

#[tokio::test]
async fn the_name_has_to_be_the_registrys() {
    let fake = Fake::start().await;
    let tls = Tls::before(&fake, &["other.test"]).await;
    let endpoints = Endpoints::parse_text(&format!("tls.test=https://{}", tls.address)).unwrap();
    let authorities = Authorities::default().with_file(tls.authority()).unwrap();
    let registry = Registry::new(Settings { endpoints, authorities, ..settings() }).unwrap();
    let error = registry.head(&"tls.test/web".parse().unwrap(), &Tag::latest().into()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::NoAnswer { trouble: Trouble::Tls, .. }), "{error:?}");
}

#[tokio::test]
async fn any_certificate_is_taken_where_anyone_is_trusted() {
    let fake = Fake::start().await;
    let tls = Tls::before(&fake, &["other.test"]).await;
    let endpoints = Endpoints::parse_text(&format!("tls.test=https://{}", tls.address)).unwrap();
    let authorities = Authorities::default().with_anyone();
    let registry = Registry::new(Settings { endpoints, authorities, ..settings() }).unwrap();
    let head = registry.head(&"tls.test/web".parse().unwrap(), &Tag::latest().into()).await;
    assert_eq!(head.unwrap(), None);
}

#[tokio::test]
async fn certificates_for_a_single_host_are_used_there_alone() {
    let fake = Fake::start().await;
    let tls = Tls::that_asks(&fake, &["127.0.0.1"], true).await;
    let home = tempfile::tempdir().unwrap();
    let folders = home.path().join(".config/containers/certs.d");
    let head = async |folder: &str| {
        _ = std::fs::remove_dir_all(&folders); // the first time it is not there
        let folder = folders.join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (from, to) in [("ca.pem", "ca.crt"), ("client.pem", "client.cert"), ("client.key", "client.key")]
        {
            std::fs::copy(tls.folder.path().join(from), folder.join(to)).unwrap();
        }
        let endpoints = Endpoints::parse_text(&format!("tls.test=https://{}", tls.address)).unwrap();
        let lookup = |name: &str| (name == "HOME").then(|| home.path().as_os_str().to_owned());
        let settings = Settings { endpoints, ..settings() }.with_network_of_machine(lookup).unwrap();
        let registry = Registry::new(settings).unwrap();
        registry.head(&"tls.test/web".parse().unwrap(), &Tag::latest().into()).await
    };
    assert_eq!(head(&tls.address.to_string()).await.unwrap(), None);
    let error = head("127.0.0.1:1").await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::NoAnswer { trouble: Trouble::Tls, .. }), "{error:?}");
    let authorities = Authorities::default().with_file(tls.authority()).unwrap();
    let registry = Registry::new(Settings {
        endpoints: Endpoints::parse_text(&format!("tls.test=https://{}", tls.address)).unwrap(),
        authorities,
        certificates: Certificates::default(),
        ..settings()
    });
    let head = registry.unwrap().head(&"tls.test/web".parse().unwrap(), &Tag::latest().into()).await;
    assert!(head.is_err(), "it shows nothing");
    assert_eq!(fake.take_log().len(), 1);
}
