//! The services go-plugin wants beside a plugin's own.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use crate::wire::go_plugin::{
    ConnInfo, Empty, StdioData, grpc_broker_server::GrpcBroker, grpc_controller_server::GrpcController,
    grpc_stdio_server::GrpcStdio,
};

/// Ends the process when asked to.
pub(super) struct Controller<F>(F);

impl<F: Fn() + Send + Sync + 'static> Controller<F> {
    pub(super) fn new(end: F) -> Self {
        Self(end)
    }
}

#[tonic::async_trait]
impl<F: Fn() + Send + Sync + 'static> GrpcController for Controller<F> {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        (self.0)();
        Ok(Response::new(Empty {}))
    }
}

/// Streams without a word in them: nothing is brokered, and logs go to standard error.
/// They stay open to the end, for clients take an early end for a failure.
pub(super) struct Quiet(CancellationToken);

impl Quiet {
    pub(super) fn new(done: CancellationToken) -> Self {
        Self(done)
    }

    fn stream<T: Send + 'static>(&self) -> BoxStream<T> {
        let (sender, receiver) = mpsc::channel(1);
        let done = self.0.clone();
        tokio::spawn(async move {
            tokio::select! { () = done.cancelled() => {}, () = sender.closed() => {} }
        });
        Box::pin(ReceiverStream::new(receiver))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Quiet {
    async fn start_stream(
        &self,
        _: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(self.stream()))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Quiet {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(self.stream()))
    }
}
