//! As much of a client as asks a provider for its schema.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, Bytes, to_bytes};
use http::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;

use super::Provider;
use crate::bench::lane::millis;

const MAX_ANSWER: usize = 1 << 20;
/// A message of gRPC with nothing in it: not compressed, no bytes.
const EMPTY: &[u8] = &[0; 5];

/// From the provider's start to its schema, in milliseconds.
pub(super) fn schema(command: &mut Command) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let start = Instant::now();
    let provider = Provider::start(command)?;
    let answer = runtime.block_on(call(&provider.socket, "tfplugin6.Provider/GetProviderSchema"))?;
    let took = millis(start);
    let name = b"process_note";
    ensure!(answer.windows(name.len()).any(|window| window == name), "the schema lacks its resource");
    Ok(took)
}

async fn call(socket: &str, method: &str) -> Result<Bytes> {
    let stream = TokioIo::new(UnixStream::connect(socket).await.context("cannot connect")?);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(connection);
    let request = Request::post(format!("http://localhost/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(EMPTY))?;
    let answer = sender.send_request(request).await?;
    Ok(to_bytes(Body::new(answer.into_body()), MAX_ANSWER).await?)
}
