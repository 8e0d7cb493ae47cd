//! Keeps the server apart from the provider's work: a runtime whose threads are all busy, or blocked, could
//! hear neither that it is interrupted nor that it should end.

use std::{
    convert::Infallible,
    task::{Context, Poll},
    thread,
};

use tokio::{
    runtime::{self, Handle},
    sync::oneshot,
};
use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::NamedService,
};

use super::ServeError;

/// Runs a server on a thread and a runtime of its own. It is given the runtime of the provider: ours.
pub(super) async fn run<T, F>(server: impl FnOnce(Handle) -> F + Send + 'static) -> Result<T, ServeError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ServeError>>,
{
    let provider = Handle::current();
    let own = runtime::Builder::new_current_thread().enable_all().build();
    let own = own.map_err(ServeError::start("start a runtime"))?;
    let (sender, end) = oneshot::channel();
    let thread = thread::Builder::new().name("serve".to_owned()).spawn(move || {
        let outcome = own.block_on(server(provider));
        // With its connections goes the provider, and what that lets go when it is dropped, before the process ends.
        drop(own);
        // Nobody waits any more if the caller gave up.
        let _ = sender.send(outcome);
    });
    thread.map_err(ServeError::start("start a thread"))?;
    end.await.unwrap_or_else(|gone| Err(ServeError::start("serve")(gone)))
}

/// A service whose calls are answered on another runtime, all but the one that interrupts the others.
#[derive(Clone)]
pub(super) struct Apart<S> {
    pub(super) service: S,
    pub(super) runtime: Handle,
}

impl<S: NamedService> NamedService for Apart<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Apart<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let interrupts = request.uri().path().ends_with("/StopProvider");
        let answer = self.service.call(request);
        if interrupts {
            return Box::pin(answer);
        }
        let task = self.runtime.spawn(answer);
        Box::pin(async {
            task.await.unwrap_or_else(|_| Ok(Status::unavailable("the provider is ending").into_http()))
        })
    }
}
