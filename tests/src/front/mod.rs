//! The ECR front: a server before MiniStack that makes its ECR behave as AWS's does.
//!
//! Every AWS request may go through it; what is not ECR passes unchanged, signature and `Host` included. ECR answers that
//! MiniStack gets wrong are mended, and `/v2`, which MiniStack serves to anyone, demands a password that was issued to a
//! caller and asks IAM whether that caller may do what it asks. Every request is written into a ledger for tests to read.
//!
//! The front keeps no index of images: MiniStack is asked each time, so a restart loses nothing but passwords and the
//! role sessions it saw begin. It refuses to know Terraform, Helm, Docker and our own programs.

mod api;
mod caller;
mod registry;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use caller::{Caller, Callers};
use upstream::MiniStack;

use crate::ecr::ledger::{self, Entry, Ledger, Wanted};
use crate::ecr::password::Passwords;
use crate::ecr::{PASSWORD_LIFE, Scope, action, answer, route};

/// Where the front listens, what stands behind it, and how long its passwords last.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Port 0 takes any free port.
    pub listen: SocketAddr,
    /// MiniStack's gateway.
    pub upstream: SocketAddr,
    /// ECR's own passwords live for twelve hours; a test of expiry wants less.
    pub password_life: Duration,
}

impl Settings {
    /// Any free port of this machine, and passwords that live as long as ECR's.
    pub fn before(upstream: SocketAddr) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen, upstream, password_life: PASSWORD_LIFE }
    }
}

/// A front that serves until it is dropped.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    task: JoinHandle<std::io::Result<()>>,
}

impl Front {
    /// Binds the port and serves from now on, inside the current tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;
        let service = router(Arc::new(Shared::new(&settings)));
        let task = tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the server ends, which it does only when it fails.
    pub async fn serve(mut self) -> Result<()> {
        (&mut self.task).await?.context("the front stopped serving")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who a password was issued to, and the registry it opens.
#[derive(Debug)]
struct Grant {
    caller: Caller,
    scope: Scope,
}

/// What all requests share.
struct Shared {
    upstream: MiniStack,
    passwords: Passwords<Grant>,
    callers: Callers,
    ledger: Ledger,
    /// Held for writing while an image is deleted and, if tags are left, put back: nobody sees it missing in between.
    images: RwLock<()>,
}

impl Shared {
    fn new(settings: &Settings) -> Self {
        Self {
            upstream: MiniStack::at(settings.upstream),
            passwords: Passwords::lasting(settings.password_life),
            callers: Callers::default(),
            ledger: Ledger::default(),
            images: RwLock::default(),
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new().route(ledger::PATH, get(requests)).fallback(serve).with_state(shared)
}

async fn requests(State(shared): State<Arc<Shared>>, wanted: Query<Wanted>) -> Json<Vec<Entry>> {
    shared.ledger.page(&wanted)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = if request.uri().path().starts_with("/v2") && !route::is_foreign(request.uri().path()) {
        registry::serve(&shared, request).await
    } else if action(request.headers()).is_some() {
        api::serve(&shared, request).await
    } else {
        pass(&shared, request).await
    };
    answer.unwrap_or_else(|error| answer::trouble(&error))
}

/// A request of another service: unchanged both ways, but for a role session that begins here and is remembered.
async fn pass(shared: &Shared, request: Request<Body>) -> Result<Response> {
    let entry = shared.ledger.open(format!("{} other", request.method()), None);
    let may_begin_session = caller::may_begin_session(request.headers());
    let request = request.map(|body| entry.count_received(body));
    let mut answer = shared.upstream.forward(request).await?;
    if may_begin_session && answer.status().is_success() {
        answer = shared.callers.watch(answer).await?;
    }
    Ok(entry.close(answer))
}
