//! An ECR of our own, in memory, for what no stand-in shows: its quirks, its refusals, its pace.
//!
//! It starts in milliseconds, needs nothing else to run, and answers as ECR answers: the registry protocol with every
//! oddity that clients fell over, and the API with checked `SigV4` signatures. `tests/tests/emulator/quirks.rs` lists them
//! with their sources. It knows nothing of our programs, and keeps no policy language: an identity may do everything but
//! what it is [denied](Emulator::deny). Policies are the front's and MiniStack's business.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use lab::emulator::{Emulator, Options};
//!
//! let ecr = Emulator::start(Options::default()).await?; // serves until dropped
//! ecr.create("shop/web");
//! let (host, url) = (ecr.host(), ecr.url()); // what a reference names, and where that is reached
//! let endpoints = ecr.endpoints(); // `host=url`, as EKS_DEPLOY_REGISTRY_ENDPOINTS wants it; the API is at `url` too
//! // … push something with `ecr.keys()`, or by the password of `ecr.login()` …
//! assert_eq!(ecr.count("PUT manifest"), 1);
//! assert_eq!(ecr.contents("shop/web").tags["v1"], ecr.contents("shop/web").tags["latest"]);
//! assert_eq!(ecr.faults(), Vec::<String>::new()); // nothing names what is not there
//! # Ok(())
//! # }
//! ```
//!
//! What a test can turn: [`Options`] before the start; [`Emulator::deny`], [`storm`](Emulator::storm),
//! [`pass`](Emulator::pass) (time), [`sweep`](Emulator::sweep) (unused blobs) and [`api`](Emulator::api) at any time.
//! Names that it makes up (passwords, uploads) follow from [`Options::seed`] and the order of requests. With
//! [`Keep::NothingUnchecked`] it is a sink that takes bytes as fast as they come; [`Options::open`] makes it a registry
//! that anyone may push to, for programs that know nothing of ECR; [`Options::delay`] is a round trip's worth of distance.
//! As a process of its own: `cargo xtask emulator --help`.

mod aftermath;
mod api;
mod clock;
mod contents;
mod identity;
mod options;
mod quota;
mod refusal;
mod registry;
mod server;
mod storage;
mod store;
mod uploads;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use api::Scan;
use clock::Clock;
pub use contents::Contents;
pub use identity::Identity;
pub use options::Options;
use quota::Quotas;
pub use quota::{Rates, ecr_rates};
use server::Door;
use store::Registry;
pub use store::blob::Keep;
use uploads::Uploads;

use crate::aws::Keys;
use crate::ecr::Scope;
use crate::ecr::ledger::{Entry, Ledger};
use crate::ecr::password::{Passwords, USER};

/// An ECR that serves until it is dropped.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    doors: Vec<(Scope, SocketAddr)>,
    tasks: JoinSet<()>,
}

impl Emulator {
    /// Binds its ports on this machine and serves from now on, inside the current tokio runtime.
    pub async fn start(options: Options) -> Result<Self> {
        let storage = TcpListener::bind((options.listen.ip(), 0)).await.context("cannot listen")?;
        let mut listeners = Vec::new();
        for (number, scope) in options.registries.iter().enumerate() {
            // The first registry is where it was asked for, all others on free ports beside it.
            let port = if number == 0 { options.listen.port() } else { 0 };
            let address = SocketAddr::new(options.listen.ip(), port);
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
            listeners.push((scope.clone(), listener));
        }
        let addresses = listeners.iter().map(|(scope, listener)| Ok((scope.clone(), listener.local_addr()?)));
        let doors = addresses.collect::<std::io::Result<Vec<_>>>()?;
        let shared = Arc::new(Shared::new(options, storage.local_addr()?)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(server::accept(storage, Arc::clone(&shared), Door::Storage));
        for (scope, listener) in listeners {
            tasks.spawn(server::accept(listener, Arc::clone(&shared), Door::Registry(scope)));
        }
        Ok(Self { shared, doors, tasks })
    }

    /// Where the first registry and the API listen.
    pub fn address(&self) -> SocketAddr {
        self.doors[0].1
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// What references to the first registry name.
    pub fn host(&self) -> String {
        self.doors[0].0.host()
    }

    /// Where layers are fetched from.
    pub fn storage(&self) -> SocketAddr {
        self.shared.storage
    }

    /// From now on URLs of layers lead here, such as to a proxy before [`Self::storage`]. May be said once.
    pub fn fetch_layers_at(&self, address: SocketAddr) {
        _ = self.shared.storage_seen_at.set(address);
    }

    /// All registries and where they are reached: `host=url,host=url`.
    pub fn endpoints(&self) -> String {
        let pairs = self.doors.iter().map(|(scope, address)| format!("{}=http://{address}", scope.host()));
        pairs.collect::<Vec<_>>().join(",")
    }

    /// The first identity's keys.
    pub fn keys(&self) -> Keys {
        self.shared.options.identities[0].keys.clone()
    }

    /// User and password for the first identity, as `GetAuthorizationToken` would give them.
    pub fn login(&self) -> (String, String) {
        let password = self.shared.issue(&self.keys().id).0;
        (USER.to_owned(), password)
    }

    /// Makes a repository with ECR's defaults in the first registry. One that is there already stays as it is.
    pub fn create(&self, repository: &str) {
        _ = self.api("CreateRepository", &serde_json::json!({ "repositoryName": repository }));
    }

    /// An action of the API in the first registry, without signature, quota or ledger.
    ///
    /// # Errors
    /// The exception's name and message.
    pub fn api(&self, action: &str, input: &Value) -> Result<Value, String> {
        let scope = &self.doors[0].0;
        let answer = api::answer(&self.shared, scope, action, input);
        answer.map_err(|refusal| format!("{}: {}", refusal.exception, refusal.message))
    }

    /// From now on the first identity may not do this, such as `ecr:PutImage`.
    pub fn deny(&self, action: &str) {
        let mut state = self.shared.state();
        if let Some(identity) = state.identities.get_mut(&self.shared.options.identities[0].keys.id) {
            identity.denied.insert(action.to_owned());
        }
    }

    /// Refuses everything with "Rate exceeded" for so long.
    pub fn storm(&self, time: Duration) {
        self.shared.quotas.storm(self.shared.clock.elapsed() + time);
    }

    /// Lets time pass: passwords and URLs end, quotas fill, scans go on.
    pub fn pass(&self, time: Duration) {
        self.shared.clock.pass(time);
    }

    /// Removes every blob that no image has, as ECR may at any time.
    pub fn sweep(&self) {
        let mut state = self.shared.state();
        let registries = state.registries.values_mut();
        registries.flat_map(|registry| registry.repositories.values_mut()).for_each(store::Repository::sweep);
    }

    /// How scans of an image end from now on; `version` is a tag or a digest in a repository of the first registry.
    ///
    /// # Errors
    /// Where there is no such image.
    pub fn scan(&self, repository: &str, version: &str, scan: Scan) -> Result<()> {
        let mut state = self.shared.state();
        let missing = || anyhow::anyhow!("there is no {repository}:{version}");
        let registry = state.registries.get_mut(&self.doors[0].0).with_context(missing)?;
        let repository = registry.repositories.get_mut(repository).with_context(missing)?;
        let digest = repository.digest_of(version).with_context(missing)?.to_owned();
        repository.manifests.get_mut(&digest).with_context(missing)?.scan = scan;
        Ok(())
    }

    /// Every request since the start, oldest first.
    pub fn requests(&self) -> Vec<Entry> {
        self.shared.ledger.since(0, None)
    }

    /// How many requests of a class there were, such as `PUT manifest` or `ecr:BatchGetImage`: see [`Entry::class`].
    pub fn count(&self, class: &str) -> usize {
        self.requests().iter().filter(|entry| entry.class == class).count()
    }

    /// Every request since the last call of this, as `class repository status`.
    pub fn take_log(&self) -> Vec<String> {
        let entries = self.shared.ledger.since(self.shared.read.load(Ordering::Relaxed), None);
        if let Some(last) = entries.last() {
            self.shared.read.store(last.number, Ordering::Relaxed);
        }
        let line = |entry: Entry| {
            format!("{} {} {}", entry.class, entry.repository.as_deref().unwrap_or("-"), entry.status)
        };
        entries.into_iter().map(line).collect()
    }

    /// What a repository of the first registry has; nothing where there is none.
    pub fn contents(&self, repository: &str) -> Contents {
        self.contents_in(&self.doors[0].0.host(), repository)
    }

    /// The same of the registry with this host.
    pub fn contents_in(&self, host: &str, repository: &str) -> Contents {
        let state = self.shared.state();
        let registry = state.registries.values().find(|registry| registry.scope.host() == host);
        registry
            .and_then(|registry| registry.repositories.get(repository))
            .map(Contents::of)
            .unwrap_or_default()
    }

    /// What is wrong anywhere: tags without image, manifests without their parts or under another digest than theirs.
    pub fn faults(&self) -> Vec<String> {
        let state = self.shared.state();
        let repositories = state.registries.values().flat_map(|registry| registry.repositories.values());
        repositories.flat_map(contents::faults).collect()
    }

    /// Serves until the process ends.
    pub async fn serve(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    options: Options,
    storage: SocketAddr,
    storage_seen_at: OnceLock<SocketAddr>,
    folder: tempfile::TempDir,
    clock: Clock,
    ledger: Ledger,
    passwords: Passwords<Grant>,
    quotas: Quotas,
    uploads: Uploads,
    state: Mutex<State>,
    /// How many names were made up.
    named: AtomicU64,
    /// The last entry of the ledger that was taken.
    read: AtomicU64,
}

/// What a password opens is up to who it was given to.
#[derive(Debug)]
struct Grant {
    key: String,
}

#[derive(Debug)]
struct State {
    registries: BTreeMap<Scope, Registry>,
    /// By the id of their access key.
    identities: BTreeMap<String, Identity>,
}

impl Shared {
    fn new(options: Options, storage: SocketAddr) -> Result<Self> {
        let registries =
            options.registries.iter().cloned().map(|scope| (scope.clone(), Registry::new(scope)));
        let identities = options.identities.iter().cloned().map(|one| (one.keys.id.clone(), one));
        let state = State { registries: registries.collect(), identities: identities.collect() };
        Ok(Self {
            storage,
            storage_seen_at: OnceLock::new(),
            folder: tempfile::tempdir()?,
            clock: Clock::new(options.stopped_clock),
            ledger: Ledger::default(),
            passwords: Passwords::lasting(options.password_life),
            quotas: Quotas::of(options.rates.clone()),
            uploads: Uploads::default(),
            state: Mutex::new(state),
            named: AtomicU64::new(0),
            read: AtomicU64::new(0),
            options,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle(self.clock.now());
        state
    }

    /// A name that nobody had before: 64 hexadecimal digits that follow from the seed.
    fn name(&self) -> String {
        self.sign(&format!("name {}", self.named.fetch_add(1, Ordering::Relaxed)))
    }

    /// What only this emulator can have written beside a text.
    fn sign(&self, text: &str) -> String {
        let hash = Sha256::new().chain_update(self.options.seed.to_be_bytes()).chain_update(text);
        hex::encode(hash.finalize())
    }

    /// A password for an identity, and the same as a token with the time when it ends.
    fn issue(&self, key: &str) -> (String, (String, std::time::SystemTime)) {
        let password = self.name();
        let token = self.passwords.issue(password.clone(), Grant { key: key.to_owned() }, self.clock.now());
        (password, token)
    }
}

impl State {
    fn registry(&mut self, scope: &Scope) -> Result<&mut Registry, refusal::Refusal> {
        let missing = || refusal::Refusal::parameter("registryId", "no such registry");
        self.registries.get_mut(scope).ok_or_else(missing)
    }
}
