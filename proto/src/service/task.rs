//! Calls as tasks of their own: logged, isolated, always answered.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::{sync::mpsc, task::JoinError};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::{Instrument as _, Span, field::Empty};

use super::{Inner, Service};
use crate::{Diagnostic, Diagnostics, wire::tfplugin6 as wire};

/// How many events of a stream wait for the client; beyond, the provider waits.
const AHEAD: usize = 16;

/// A request, and what it is about.
pub(super) trait Asked: Send + 'static {
    /// The name of the call in the protocol.
    const RPC: &'static str;

    /// The key under which the log shows what is asked for, and its name.
    fn subject(&self) -> Option<(&'static str, &str)>;
}

/// An answer that can say that there is none.
pub(super) trait Answer: Send + 'static {
    fn failed(diagnostics: &Diagnostics) -> Self;
}

/// The events of a stream on their way out.
pub(super) type Outlet<E> = mpsc::Sender<Result<E, Status>>;

impl Service {
    /// Answers with one message. The work goes on if nobody waits for it any more.
    pub(super) async fn run<Q, A, F>(&self, work: impl FnOnce(Arc<Inner>, Q) -> F, request: Q) -> A
    where
        Q: Asked,
        A: Answer,
        F: Future<Output = Result<A, Diagnostics>> + Send + 'static,
    {
        let span = span(&request);
        let work = work(Arc::clone(&self.0), request);
        let answer = timed::<Q, _>(span.clone(), work).await;
        answer.unwrap_or_else(|diagnostics| span.in_scope(|| A::failed(&diagnostics)))
    }

    /// Answers with a stream. `end` makes the last event of what is left to say.
    pub(super) fn stream<Q, E, F>(
        &self,
        work: impl FnOnce(Arc<Inner>, Q, Outlet<E>) -> F,
        request: Q,
        end: fn(Vec<wire::Diagnostic>) -> Option<E>,
    ) -> ReceiverStream<Result<E, Status>>
    where
        Q: Asked,
        E: Send + 'static,
        F: Future<Output = Result<Diagnostics, Diagnostics>> + Send + 'static,
    {
        let (outlet, events) = mpsc::channel(AHEAD);
        let span = span(&request);
        let work = work(Arc::clone(&self.0), request, outlet.clone());
        tokio::spawn(async move {
            let (Ok(left) | Err(left)) = timed::<Q, _>(span, work).await;
            if let Some(last) = end(left.to_wire()) {
                // Nobody may be listening any more.
                let _ = outlet.send(Ok(last)).await;
            }
        });
        ReceiverStream::new(events)
    }
}

/// Works on a call and logs how long it took, whether somebody waits for it or not.
async fn timed<Q: Asked, T: Send + 'static>(
    span: Span,
    work: impl Future<Output = Result<T, Diagnostics>> + Send + 'static,
) -> Result<T, Diagnostics> {
    let clock = Clock(Instant::now());
    let work = async move {
        let _clock = clock;
        work.await
    };
    isolated::<Q, _>(work).instrument(span).await
}

/// Logs when work is over, also when it panicked.
struct Clock(Instant);

impl Drop for Clock {
    fn drop(&mut self) {
        let took = u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(tf_req_duration_ms = took, "answered");
    }
}

/// Runs work in a task of its own, so that it neither ends with its caller nor takes others with it.
pub(super) async fn isolated<Q: Asked, T: Send + 'static>(
    work: impl Future<Output = Result<T, Diagnostics>> + Send + 'static,
) -> Result<T, Diagnostics> {
    let outcome = tokio::spawn(work.in_current_span()).await;
    outcome.unwrap_or_else(|ended| Err(panicked(Q::RPC, ended).into()))
}

fn span<Q: Asked>(request: &Q) -> Span {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let span = tracing::info_span!(
        "call",
        tf_rpc = Q::RPC,
        // In here it costs nothing if nobody wants the log.
        tf_req_id = format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)),
        tf_resource_type = Empty,
        tf_data_source_type = Empty,
        tf_ephemeral_resource_type = Empty,
        tf_list_resource_type = Empty,
        tf_action_type = Empty,
        tf_state_store_type = Empty,
        tf_function = Empty,
    );
    if let Some((key, name)) = request.subject() {
        span.record(key, name);
    }
    span
}

fn panicked(rpc: &str, ended: JoinError) -> Diagnostic {
    let said = ended.try_into_panic().ok().and_then(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
    });
    let said = said.unwrap_or_else(|| "it gave no reason".to_owned());
    Diagnostic::error(
        "The provider crashed",
        format!("This is a bug in the provider: `{rpc}` panicked: {said}. Please report it."),
    )
}
