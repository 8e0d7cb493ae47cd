//! Calls about state stores. States travel in chunks and are kept whole, within a limit.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;
use tracing::Span;

use super::{
    Inner, codec, find,
    offer::Form,
    task::{Asked, Outlet},
};
use crate::{
    ConfigureStoreRequest, Diagnostic, Diagnostics, LockRequest, StateRequest, StateStore, UnlockRequest,
    wire::tfplugin6::{
        self as wire, RequestChunkMeta, StateRange, StateStoreServerCapabilities, configure_state_store,
        delete_state, get_states, lock_state, read_state_bytes, unlock_state, validate_state_store,
        write_state_bytes,
    },
};

/// The largest state.
const MAX_STATE: usize = 256 << 20;

/// The size of chunks if the client proposes none, and the largest that Terraform takes.
const CHUNK: usize = 8 << 20;
const MAX_CHUNK: usize = 128 << 20;

/// A state store, and the size of chunks that was agreed on.
pub(super) struct Store {
    part: Arc<dyn StateStore>,
    pub(super) form: Form,
    chunk: AtomicUsize,
}

impl Store {
    pub(super) fn new(part: Arc<dyn StateStore>) -> Self {
        Self { form: Form::new(part.schema()), part, chunk: AtomicUsize::new(CHUNK) }
    }
}

impl Inner {
    fn state_store(&self, type_name: &str) -> Result<&Store, Diagnostics> {
        find(&self.state_stores, "state store", type_name)
    }
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_state_store::Request,
) -> Result<validate_state_store::Response, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let check = |request| store.part.validate(request);
    let diagnostics = store.form.validate(store.form.config(request.config)?, &inner, check).await;
    Ok(validate_state_store::Response { diagnostics })
}

pub(super) async fn configure(
    inner: Arc<Inner>,
    request: configure_state_store::Request,
) -> Result<configure_state_store::Response, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let config = store.form.config(request.config)?;
    let proposed = request.capabilities.and_then(|client| usize::try_from(client.chunk_size).ok());
    let chunk = proposed.filter(|size| *size > 0).unwrap_or(CHUNK).min(MAX_CHUNK);
    store.chunk.store(chunk, Ordering::Relaxed);
    let request = ConfigureStoreRequest { config, cancellation: inner.cancellation() };
    let diagnostics = store.part.configure(request).await.to_wire();
    let capabilities = StateStoreServerCapabilities { chunk_size: wide(chunk) };
    Ok(configure_state_store::Response { diagnostics, capabilities: Some(capabilities) })
}

pub(super) async fn states(
    inner: Arc<Inner>,
    request: get_states::Request,
) -> Result<get_states::Response, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let state_id = store.part.states(inner.cancellation()).await?;
    Ok(get_states::Response { state_id, diagnostics: Vec::new() })
}

pub(super) async fn delete(
    inner: Arc<Inner>,
    request: delete_state::Request,
) -> Result<delete_state::Response, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let request = StateRequest { name: request.state_id, cancellation: inner.cancellation() };
    store.part.delete(request).await?;
    Ok(delete_state::Response::default())
}

pub(super) async fn lock(
    inner: Arc<Inner>,
    request: lock_state::Request,
) -> Result<lock_state::Response, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let lock_state::Request { state_id: name, operation, .. } = request;
    let request = LockRequest { name, operation, cancellation: inner.cancellation() };
    let lock_id = store.part.lock(request).await?;
    Ok(lock_state::Response { lock_id, diagnostics: Vec::new() })
}

pub(super) async fn unlock(
    inner: Arc<Inner>,
    request: unlock_state::Request,
) -> Result<unlock_state::Response, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let unlock_state::Request { state_id: name, lock_id: key, .. } = request;
    store.part.unlock(UnlockRequest { name, key, cancellation: inner.cancellation() }).await?;
    Ok(unlock_state::Response::default())
}

pub(super) async fn read(
    inner: Arc<Inner>,
    request: read_state_bytes::Request,
    outlet: Outlet<read_state_bytes::Response>,
) -> Result<Diagnostics, Diagnostics> {
    let store = inner.state_store(&request.type_name)?;
    let request = StateRequest { name: request.state_id, cancellation: inner.cancellation() };
    let state = store.part.read(request).await?.unwrap_or_default();
    if state.len() > MAX_STATE {
        return Err(too_large().into());
    }
    let mut start = 0;
    for bytes in state.chunks(store.chunk.load(Ordering::Relaxed)) {
        let range = StateRange { start: wide(start), end: wide(start + bytes.len() - 1) };
        start += bytes.len();
        let chunk = read_state_bytes::Response {
            bytes: bytes.to_vec(),
            total_length: wide(state.len()),
            range: Some(range),
            diagnostics: Vec::new(),
        };
        if outlet.send(Ok(chunk)).await.is_err() {
            break;
        }
    }
    Ok(Diagnostics::new())
}

/// Whatever went wrong comes in a chunk of its own. Terraform crashes if a chunk has no range.
pub(super) fn end(diagnostics: Vec<wire::Diagnostic>) -> Option<read_state_bytes::Response> {
    let range = Some(StateRange::default());
    (!diagnostics.is_empty()).then(|| read_state_bytes::Response { range, diagnostics, ..Default::default() })
}

/// The chunks of a state to write.
pub(super) struct Chunks<S>(pub(super) S);

impl<S: Send + 'static> Asked for Chunks<S> {
    const RPC: &'static str = "WriteStateBytes";

    /// The first chunk says what it is about.
    fn subject(&self) -> Option<(&'static str, &str)> {
        None
    }
}

pub(super) async fn write<S>(
    inner: Arc<Inner>,
    chunks: Chunks<S>,
) -> Result<write_state_bytes::Response, Diagnostics>
where
    S: Stream<Item = Result<write_state_bytes::RequestChunk, Status>> + Unpin + Send,
{
    let Whole { about, bytes } = gather(chunks.0).await?;
    Span::current().record("tf_state_store_type", &about.type_name);
    let store = inner.state_store(&about.type_name)?;
    let request = StateRequest { name: about.state_id, cancellation: inner.cancellation() };
    store.part.write(request, bytes).await?;
    Ok(write_state_bytes::Response::default())
}

/// A state put together from its chunks.
struct Whole {
    about: RequestChunkMeta,
    bytes: Vec<u8>,
}

/// Puts a state together. One that does not arrive completely is none.
async fn gather(
    mut chunks: impl Stream<Item = Result<write_state_bytes::RequestChunk, Status>> + Unpin,
) -> Result<Whole, Diagnostics> {
    let mut whole: Option<Whole> = None;
    let mut total = 0;
    while let Some(chunk) = chunks.next().await {
        let mut chunk = chunk.map_err(|status| broken(status.message()))?;
        total = chunk.total_length;
        let whole = match (&mut whole, chunk.meta.take()) {
            (Some(whole), _) => whole,
            (none, Some(about)) => none.insert(Whole { about, bytes: Vec::new() }),
            (None, None) => return Err(codec::absent("name of the state").into()),
        };
        whole.append(chunk)?;
    }
    let whole = whole.ok_or_else(|| codec::absent("state"))?;
    if wide(whole.bytes.len()) == total { Ok(whole) } else { Err(broken("its end is missing").into()) }
}

impl Whole {
    fn append(&mut self, chunk: write_state_bytes::RequestChunk) -> Result<(), Diagnostics> {
        let length = self.bytes.len() + chunk.bytes.len();
        if length > MAX_STATE {
            return Err(too_large().into());
        }
        let range = StateRange { start: wide(self.bytes.len()), end: wide(length) - 1 };
        if chunk.range != Some(range) {
            return Err(broken("its parts are not in order").into());
        }
        self.bytes.extend(chunk.bytes);
        Ok(())
    }
}

fn broken(cause: &str) -> Diagnostic {
    let detail = format!("Nothing was written: {cause}.");
    Diagnostic::error("The state did not arrive completely", detail)
}

fn too_large() -> Diagnostic {
    Diagnostic::error("The state is too large", "States of up to 256 MiB are kept. Split it into several.")
}

fn wide(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
