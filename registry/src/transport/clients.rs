use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::Client;
use rustls::{ClientConfig, crypto::aws_lc_rs};
use url::Url;

use super::{
    trust::Trust,
    zone::{Guard, Zone},
};
use crate::{
    error::ErrorKind,
    settings::{Authorities, Certificates, Identity, Proxies, Settings, of_host},
};

/// What a connection carries.
///
/// Connections of both kinds are HTTP/1.1: several bodies on one connection of HTTP/2 share its one window, which cost
/// two thirds of the rate when it was measured. They are apart so that a look-up takes no connection away that bodies
/// have warmed up, and never waits behind one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pool {
    /// Questions, manifests, and blobs that are on their way sooner than another connection would be made.
    Small,
    /// Large blobs, in either direction.
    Bulk,
}

impl Pool {
    /// From this size on, in bytes, a connection of its own is worth it.
    const BULK: u64 = 4 * 1024 * 1024;

    pub(crate) fn of_blob(size: u64) -> Self {
        if size < Self::BULK { Self::Small } else { Self::Bulk }
    }

    /// How many connections to a host are kept while nothing is asked: as many requests of one kind as are under way at
    /// once, as many bodies as are.
    fn kept(self) -> usize {
        match self {
            Self::Small => 64,
            Self::Bulk => 16,
        }
    }
}

/// HTTP clients, each with its connections, made when they are first needed.
pub(super) struct Clients {
    user_agent: String,
    connect: Duration,
    proxies: Proxies,
    tls: ClientConfig,
    authorities: Authorities,
    certificates: Certificates,
    made: Mutex<HashMap<Use, Client>>,
}

/// What a client is for: single hosts have their own.
type Use = (Pool, Option<Zone>, Option<PathBuf>);

impl Clients {
    pub(super) fn new(settings: &Settings) -> Result<Self, ErrorKind> {
        Ok(Self {
            user_agent: settings.user_agent.clone(),
            connect: settings.patience.connect,
            proxies: settings.proxies.clone(),
            tls: tls(&settings.authorities, None).map_err(|cause| ErrorKind::Client(Arc::new(cause)))?,
            authorities: settings.authorities.clone(),
            certificates: settings.certificates.clone(),
            made: Mutex::default(),
        })
    }

    /// The client for a pool and where the URL leads. With a reach it connects to nothing further on, and to no proxy.
    pub(super) fn get(&self, pool: Pool, reach: Option<Zone>, url: &Url) -> Result<Client, ErrorKind> {
        let folder = self.certificates.of(url);
        let key = (pool, reach, folder.map(Path::to_path_buf));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&key) {
            return Ok(client.clone());
        }
        let tls = folder.map_or_else(|| Ok(self.tls.clone()), |folder| self.tls_of(folder))?;
        let client = self.make(pool, reach, tls).map_err(|cause| ErrorKind::Client(Arc::new(cause)))?;
        made.insert(key, client.clone());
        Ok(client)
    }

    fn tls_of(&self, folder: &Path) -> Result<ClientConfig, ErrorKind> {
        let (authorities, identity) = of_host(self.authorities.clone(), folder)?;
        tls(&authorities, identity).map_err(|cause| ErrorKind::Client(Arc::new(cause)))
    }

    /// Redirects are never followed: where they lead is looked at first.
    fn make(&self, pool: Pool, reach: Option<Zone>, tls: ClientConfig) -> reqwest::Result<Client> {
        let client = Client::builder()
            .user_agent(&self.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .connect_timeout(self.connect)
            .pool_idle_timeout(Duration::from_secs(50))
            .pool_max_idle_per_host(pool.kept())
            .tcp_keepalive(Duration::from_secs(30))
            .tls_backend_preconfigured(tls)
            .no_proxy();
        let proxies = self.proxies.clone();
        match reach {
            Some(reach) => client.dns_resolver(Arc::new(Guard::new(reach))),
            None => client.proxy(reqwest::Proxy::custom(move |url| proxies.of(url).cloned())),
        }
        .build()
    }
}

fn tls(authorities: &Authorities, identity: Option<Identity>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = Trust::new(authorities.clone(), Arc::clone(&provider));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // is how rustls calls any verifier that is not its own; this is the platform's
        .with_custom_certificate_verifier(Arc::new(trust));
    let mut config = match identity {
        Some((chain, key)) => config.with_client_auth_cert(chain, key)?,
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
