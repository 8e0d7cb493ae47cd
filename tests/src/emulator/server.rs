//! The connections: HTTP/1.1 only, so that one can end without an answer when that is the answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Shared, api, registry, storage};
use crate::ecr::{Scope, ledger};

/// What is behind a port.
#[derive(Debug, Clone)]
pub(super) enum Door {
    Registry(Scope),
    /// Where layers are fetched from.
    Storage,
}

/// The connection ends here.
#[derive(Debug)]
pub(super) struct HangUp;

impl std::error::Error for HangUp {}

impl std::fmt::Display for HangUp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("hung up")
    }
}

/// Serves a port; its connections end with it.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>, door: Door) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => _ = connections.spawn(serve(stream, Arc::clone(&shared), door.clone())),
                Err(error) => tracing::error!("cannot accept a connection: {error}"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, door: Door) {
    _ = stream.set_nodelay(true);
    let Ok(here) = stream.local_addr() else { return };
    let service = service_fn(move |request| {
        let (shared, door) = (Arc::clone(&shared), door.clone());
        async move { answer(&shared, &door, here, request).await }
    });
    // A client that breaks off is no error of ours.
    _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    shared: &Shared,
    door: &Door,
    here: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response, HangUp> {
    let request = request.map(Body::new);
    if request.uri().path() == ledger::PATH {
        let Ok(wanted) = Query::try_from_uri(request.uri()) else { return Err(HangUp) };
        return Ok(shared.ledger.page(&wanted).into_response());
    }
    if !shared.options.delay.is_zero() {
        tokio::time::sleep(shared.options.delay).await;
    }
    match door {
        Door::Storage => storage::serve(shared, &request),
        Door::Registry(scope) if request.uri().path().starts_with("/v2") => {
            registry::serve(shared, scope, here, request).await
        }
        Door::Registry(_) => api::serve(shared, request).await,
    }
}
