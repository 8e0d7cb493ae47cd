//! The services of a plugin: the provider's own, and those that go-plugin wants beside it.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status, Streaming,
    codegen::BoxStream,
    transport::{Server, server::Router},
};
use tonic_health::{ServingStatus, server::health_reporter};

use super::{apart::Apart, ending::Ending};
use crate::{
    service::Service,
    wire::{
        go_plugin::{
            ConnInfo, Empty, StdioData,
            grpc_broker_server::{GrpcBroker, GrpcBrokerServer},
            grpc_controller_server::{GrpcController, GrpcControllerServer},
            grpc_stdio_server::{GrpcStdio, GrpcStdioServer},
        },
        tfplugin6::{
            provider_server::{Provider as _, ProviderServer},
            stop_provider,
        },
    },
};

/// The size of messages terraform-plugin-go takes, too. tonic's own limit of 4 MiB breaks big configurations.
const MAX_MESSAGE: usize = 256 << 20;

/// How much of a message may be on its way before its first part is read: what suits big configurations.
const WINDOW: u32 = 4 << 20;

/// All of them. Calls of the provider are answered on the runtime given.
pub(super) async fn router(service: Service, runtime: Handle, ending: &Ending) -> Router {
    let (reporter, health) = health_reporter();
    // go-plugin knows the plugin by this name.
    reporter.set_service_status("plugin", ServingStatus::Serving).await;
    let service = Arc::new(service);
    interrupt_at(ending.begun(), Arc::clone(&service));
    let service = ProviderServer::from_arc(service)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_frame_size(1 << 20)
        .add_service(Apart { service, runtime })
        .add_service(GrpcControllerServer::new(Controller(ending.clone())))
        .add_service(GrpcBrokerServer::new(Quiet(ending.clone())))
        .add_service(GrpcStdioServer::new(Quiet(ending.clone())))
        .add_service(health)
}

/// What is under way when the process is to end has no time to complete, but some to tidy up.
fn interrupt_at(end: impl Future<Output = ()> + Send + 'static, service: Arc<Service>) {
    tokio::spawn(async move {
        end.await;
        let stop = Request::new(stop_provider::Request {});
        // It has nothing to say.
        let _ = service.stop_provider(stop).await;
    });
}

/// Ends the process when asked to.
struct Controller(Ending);

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.0.begin(0);
        Ok(Response::new(Empty {}))
    }
}

/// Streams without a word in them: nothing is brokered, and logs go to standard error.
/// They stay open to the end, for clients take an early end for a failure.
struct Quiet(Ending);

impl Quiet {
    /// A stream that ends with the process, or when the client has enough. `heard` is what comes in.
    fn stream<T: Send + 'static>(&self, heard: impl Future<Output = ()> + Send + 'static) -> BoxStream<T> {
        let (sender, receiver) = mpsc::channel(1);
        let end = self.0.begun();
        tokio::spawn(async move {
            let heard = async {
                heard.await;
                sender.closed().await;
            };
            tokio::select! { () = end => {}, () = sender.closed() => {}, () = heard => {} }
        });
        Box::pin(ReceiverStream::new(receiver))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Quiet {
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        let mut offers = request.into_inner();
        let heard = async move { while let Ok(Some(_)) = offers.message().await {} };
        Ok(Response::new(self.stream(heard)))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Quiet {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(self.stream(async {})))
    }
}
