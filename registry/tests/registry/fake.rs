//! A registry in memory that checks what it is sent, remembers it, and fails when told to.
//!
//! It is strict: content before manifests, a length with every body, no more than one PUT for a blob. With ECR's
//! manners it has repositories that must exist, asks for a password that its API gave, and has immutable tags.

mod api;
mod http;
mod protocol;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use ecr_registry::{Digest, Repository};
use tokio::net::{TcpListener, TcpStream};

pub(crate) use api::{error as api_error, ok as api_answer};
use http::Connection;
pub(crate) use http::{Reply, Request};

/// The host of the private registry that a fake with ECR's manners plays.
pub(crate) const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

/// A registry that ends with its test.
pub(crate) struct Fake {
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

/// What the registry has, and how it behaves.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one manner, in any combination")]
pub(crate) struct State {
    pub(crate) host: String,
    pub(crate) repositories: BTreeMap<String, Content>,
    /// All requests, the oldest first, bodies left out: `PUT /v2/web/manifests/latest`.
    pub(crate) log: Vec<Request>,
    pub(crate) faults: Vec<Fault>,
    /// Whether repositories have to be made, and a password is asked for.
    pub(crate) ecr: bool,
    /// How many passwords were given; the last one is good.
    pub(crate) passwords: usize,
    /// What the API was asked: operation and input.
    pub(crate) asked: Vec<(String, serde_json::Value)>,
    /// The account that STS says callers are of.
    pub(crate) caller: Option<&'static str>,
    /// The access keys by which the API was called.
    pub(crate) identities: BTreeSet<String>,
    pub(crate) immutable: bool,
    pub(crate) mount: Mount,
    /// Whether an upload that broke off can go on where it did.
    pub(crate) resumes: bool,
    pub(crate) challenge: Option<Challenge>,
    /// Where blobs are fetched from instead: this URL and the digest.
    pub(crate) blobs_elsewhere: Option<String>,
    /// Whether only whole blobs are sent.
    pub(crate) no_ranges: bool,
    /// Whether it lists what is about a manifest; one on each page.
    pub(crate) lists_referrers: bool,
    /// Whether it tells revisions of manifests apart, and compares them when asked to.
    pub(crate) compares: bool,
    /// What came of uploads under way; only when broken ones can go on.
    sessions: BTreeMap<String, Vec<u8>>,
    next_session: usize,
}

/// What a repository has.
#[derive(Default, Clone)]
pub(crate) struct Content {
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(crate) manifests: BTreeMap<Digest, (String, Vec<u8>)>,
    pub(crate) tags: BTreeMap<String, Digest>,
}

/// What becomes of a request to mount.
#[derive(Default, Clone, Copy, PartialEq)]
pub(crate) enum Mount {
    #[default]
    Done,
    /// Done if a manifest of the source names the blob, as on ECR; else a session.
    Named,
    Session,
    Refused,
}

/// How a registry that is not ECR asks who is there.
#[derive(Clone)]
pub(crate) enum Challenge {
    Basic(&'static str),
    Bearer,
}

/// What is to go wrong: `times` requests whose method and path match.
pub(crate) struct Fault {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) times: usize,
    pub(crate) what: What,
}

#[derive(Clone)]
pub(crate) enum What {
    /// This answer, and nothing is done.
    Answer(Reply),
    /// What was asked for is done, and this answer given.
    DoneBut(Reply),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// What was asked for is answered up to so many bytes of the body.
    CutAnswer(usize),
    /// As `CutAnswer`, but the connection stays.
    StallAnswer(usize),
    /// Nothing more is read or said.
    Stall,
    /// Somebody else does this first.
    After(Hook),
    /// Somebody else does this right after.
    Before(Hook),
}

/// What somebody else does to a registry.
pub(crate) type Hook = Arc<dyn Fn(&mut State) + Send + Sync>;

impl Fake {
    /// A registry as most are: repositories come with the first push, anyone may do anything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State { host: host.clone(), ..State::default() }));
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { host, state, task }
    }

    /// A registry with the manners of ECR, and these repositories.
    pub(crate) async fn ecr(repositories: &[&str]) -> Self {
        let fake = Self::start().await;
        {
            let mut state = fake.state();
            state.ecr = true;
            let content = repositories.iter().map(|name| ((*name).to_owned(), Content::default()));
            state.repositories = content.collect();
        }
        fake
    }

    pub(crate) fn repository(&self, name: &str) -> Repository {
        let host = if self.state().ecr { ECR } else { &self.host };
        format!("{host}/{name}").parse().unwrap()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn fail(&self, method: &'static str, path: &'static str, times: usize, what: What) {
        self.state().faults.push(Fault { method, path, times, what });
    }

    /// Has the API answer the next call of an operation so.
    pub(crate) fn says(&self, operation: &'static str, answer: &serde_json::Value) {
        self.fail("POST", operation, 1, What::Answer(api_answer(answer)));
    }

    /// What an operation of the API was asked.
    pub(crate) fn asked(&self, operation: &str) -> Vec<serde_json::Value> {
        let state = self.state();
        let asked = state.asked.iter().filter(|(name, _)| name == operation);
        asked.map(|(_, input)| input.clone()).collect()
    }

    /// How many requests of a method had a path with this in it.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.state().log.iter().filter(|r| r.method == method && r.path.contains(path)).count()
    }

    /// All requests since the last look, digests shortened to six digits.
    pub(crate) fn take_log(&self) -> Vec<String> {
        let log = std::mem::take(&mut self.state().log);
        log.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut connection = Connection::new(stream);
    loop {
        let mut request = connection.head().await?;
        let fault = {
            let mut state = state.lock().unwrap();
            state.log.push(request.clone());
            state.fault(&request)
        };
        match fault {
            Some(What::Cut(after)) => {
                connection.body(&mut request, after).await?;
                state.lock().unwrap().keep_part(&request);
                return None;
            }
            Some(What::Stall) => std::future::pending().await,
            Some(What::Answer(reply)) => {
                connection.body(&mut request, usize::MAX).await?;
                connection.answer(&request, &reply).await?;
            }
            fault => {
                connection.body(&mut request, usize::MAX).await?;
                let done = {
                    let mut state = state.lock().unwrap();
                    if let Some(What::After(other)) = &fault {
                        other(&mut state);
                    }
                    let done = state.answer(&request);
                    if let Some(What::Before(other)) = &fault {
                        other(&mut state);
                    }
                    done
                };
                let reply = if let Some(What::DoneBut(reply)) = &fault { reply } else { &done };
                let most = match fault {
                    Some(What::CutAnswer(most) | What::StallAnswer(most)) => most,
                    _ => usize::MAX,
                };
                let whole = connection.answer_up_to(most, &request, reply).await;
                if matches!(fault, Some(What::StallAnswer(_))) {
                    std::future::pending::<()>().await;
                }
                whole?;
            }
        }
    }
}

impl State {
    fn fault(&mut self, request: &Request) -> Option<What> {
        let matches = |fault: &&mut Fault| {
            fault.times > 0 && fault.method == request.method && request.path.contains(fault.path)
        };
        let fault = self.faults.iter_mut().find(matches)?;
        fault.times -= 1;
        Some(fault.what.clone())
    }

    fn answer(&mut self, request: &Request) -> Reply {
        match request.header("x-amz-target") {
            "" if request.body.starts_with(b"Action=") => api::sts(self, request),
            "" => self.registry(request),
            target => api::answer(self, target.rsplit('.').next().unwrap(), request),
        }
    }
}
