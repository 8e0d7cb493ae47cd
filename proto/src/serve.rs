//! The process around a provider: handshake, connections, signals, end. Knows nothing of values.

mod connection;
mod go_plugin;
mod handshake;
mod socket;
mod tls;

use std::{fs, io::Write as _, panic, path::PathBuf, process, process::ExitCode, thread, time::Duration};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use self::{handshake::Environment, socket::Listener};
use crate::{
    Provider, log,
    service::Service,
    wire::{
        go_plugin::{
            grpc_broker_server::GrpcBrokerServer, grpc_controller_server::GrpcControllerServer,
            grpc_stdio_server::GrpcStdioServer,
        },
        tfplugin6::provider_server::ProviderServer,
    },
};

/// Terraform lets a provider live for two seconds after it asked it to end.
const LAST_EXIT: Duration = Duration::from_millis(1200);

/// The size of messages terraform-plugin-go takes, too. tonic's own limit of 4 MiB breaks big configurations.
const MAX_MESSAGE: usize = 256 << 20;

/// Serves a provider to the Terraform or OpenTofu that started this process, until it says that it is done.
///
/// `address` is the provider's source address, such as `registry.terraform.io/eks-deploy/ecr`; it goes
/// into the logs. Call it in `main`, in a multi-threaded tokio runtime, and return what it returns. From
/// the handshake on, standard output leads nowhere. Child processes must not inherit standard error:
/// Terraform would wait for their end.
pub async fn serve(provider: impl Provider, address: &str) -> ExitCode {
    match run(provider, address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Why a provider cannot serve.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error(
        "This program is a provider for Terraform and OpenTofu. They start it by themselves \
         when a configuration asks for it; there is nothing to run here by hand."
    )]
    NotStartedAsPlugin,
    /// Terraform shows what follows the word "panic: " to the user; all else before the handshake goes
    /// unseen.
    #[error("panic: the provider cannot start: {doing}: {cause}")]
    Start { doing: &'static str, cause: Box<dyn std::error::Error + Send + Sync> },
}

impl ServeError {
    fn start<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::Start { doing, cause: cause.into() }
    }
}

async fn run(provider: impl Provider, address: &str) -> Result<(), ServeError> {
    let environment =
        Environment::read(|name| std::env::var(name).ok()).ok_or(ServeError::NotStartedAsPlugin)?;
    log::install(address);
    panic::set_hook(Box::new(|panic| say(&format!("panic: {panic}"))));
    let service = Service::new(provider);
    let tls = environment.client_certificate.as_deref().map(tls::Identity::for_client).transpose()?;
    let listener = Listener::bind(&environment)?;
    let socket = listener.file();
    obey_signals(socket.clone())?;
    let stdout = handshake::detach_stdout()?;
    let line = environment.line(&listener, tls.as_ref().map(|identity| identity.certificate.as_ref()));
    writeln!(&stdout, "{line}").map_err(ServeError::start("write the handshake"))?;

    let done = CancellationToken::new();
    let served = Server::builder()
        .add_service(GrpcControllerServer::new(go_plugin::Controller::new({
            let done = done.clone();
            let socket = socket.clone();
            move || {
                arm_exit(socket.clone());
                done.cancel();
            }
        })))
        .add_service(GrpcBrokerServer::new(go_plugin::Quiet::new(done.clone())))
        .add_service(GrpcStdioServer::new(go_plugin::Quiet::new(done.clone())))
        .add_service(
            ProviderServer::new(service)
                .max_decoding_message_size(MAX_MESSAGE)
                .max_encoding_message_size(MAX_MESSAGE),
        )
        .serve_with_incoming_shutdown(connection::incoming(listener, tls), done.cancelled())
        .await;
    remove(socket);
    served.map_err(ServeError::start("serve"))
}

/// Ctrl-C reaches the whole process group; Terraform tells us itself what it wants then.
fn obey_signals(socket: Option<PathBuf>) -> Result<(), ServeError> {
    let mut interrupts = signal(SignalKind::interrupt()).map_err(ServeError::start("listen for signals"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::start("listen for signals"))?;
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    tokio::spawn(async move {
        terminate.recv().await;
        exit(socket, 143);
    });
    Ok(())
}

/// Ends the process even if something hangs; that it did shows in the exit code.
fn arm_exit(socket: Option<PathBuf>) {
    thread::spawn(move || {
        thread::sleep(LAST_EXIT);
        exit(socket, 70);
    });
}

#[expect(clippy::exit, reason = "there is nobody left to return to")]
fn exit(socket: Option<PathBuf>, code: i32) -> ! {
    remove(socket);
    process::exit(code)
}

fn remove(socket: Option<PathBuf>) {
    if let Some(path) = socket {
        // It may be gone already; either way it is not there any more.
        let _ = fs::remove_file(path);
    }
}

/// Standard error may be closed; nobody could be told.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
