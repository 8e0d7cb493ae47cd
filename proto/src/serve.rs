//! The process around a provider: how it is started, who may connect, how it ends. Knows nothing of values.

mod apart;
mod connection;
mod ending;
mod go_plugin;
mod handshake;
mod reattach;
mod socket;
mod streams;
mod tls;

use std::{fs::File, io::Write as _, panic, process::ExitCode, sync::Arc};

use tokio::runtime::Handle;

use self::{
    ending::{Ending, Interrupts},
    handshake::{Environment, Start},
    socket::Listener,
    streams::Streams,
    tls::Identity,
};
use crate::{Provider, log, service::Service};

/// Serves a provider to the Terraform or OpenTofu that started this process, until it says that it is done.
///
/// `address` is the provider's source address, such as `registry.terraform.io/eks-deploy/ecr`. Call this in
/// `main`, in a tokio runtime, before anything is printed, and return what it returns. Calls are answered
/// on that runtime, so handlers that compute for long want one with several threads; interruption and end
/// are heard on a thread of our own, whatever the handlers do.
///
/// From here on the process's standard input and output lead nowhere, and its standard error goes through
/// a pipe of our own: a child process that inherits them cannot keep Terraform waiting. (Not so on Windows:
/// there, start children with streams of their own.)
///
/// Started with `-debug`, by hand or in a debugger, the process prints the variable
/// (`TF_REATTACH_PROVIDERS`) with which Terraform and OpenTofu use it, and serves them until Ctrl-C. Each
/// command then configures the same process again.
///
/// Programs with aws-lc start 30 ms sooner if it is compiled with `AWS_LC_SYS_NO_JITTER_ENTROPY=1` (under
/// `[env]` in `.cargo/config.toml`): it then takes its first random numbers from the operating system and
/// the processor's generator, not from the jitter of the processor's clock.
pub async fn serve(provider: impl Provider, address: &str) -> ExitCode {
    let start = Start::read(std::env::args().skip(1), |name| std::env::var(name).ok());
    let served = match start {
        Start::Plugin(environment) => plugin(provider, address, environment).await,
        Start::Debug => attach(provider, address).await,
        Start::Unknown => Err(ServeError::NotStartedAsPlugin),
    };
    match served {
        Ok(code) => code.into(),
        Err(error) => {
            // Standard error may be closed; nobody could be told.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Why a provider cannot serve.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error(
        "This program is a provider for Terraform and OpenTofu. They start it by themselves \
         when a configuration asks for it; there is nothing to run here by hand.\n\
         With `-debug` it waits for them to attach to it, as a debugger needs it."
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

/// Serves the program that started us: it reads one line of output, and connects.
async fn plugin(provider: impl Provider, address: &str, environment: Environment) -> Result<u8, ServeError> {
    let Streams { stdout, stderr, detached } =
        Streams::take().map_err(ServeError::start("take over the standard streams"))?;
    log::install(address, Arc::clone(&stderr));
    report_panics(stderr);
    let service = Service::new(provider);
    // Ours stays open to the end: a host may take its end for that of the process.
    let announced = Arc::clone(&stdout);
    let served = apart::run(move |runtime| async move {
        let tls = environment.client_certificate.as_deref().map(Identity::for_client).transpose()?;
        let listener = Listener::bind(&environment)?;
        let line = environment.line(&listener, tls.as_ref().map(|identity| identity.certificate.as_ref()));
        let announce = move || (&*announced).write_all(format!("{line}\n").as_bytes());
        host(service, runtime, listener, tls, Interrupts::Ignore, announce).await
    });
    let served = served.await;
    detached.give_back();
    served
}

/// Serves whoever is given the variable that this prints.
async fn attach(provider: impl Provider, address: &str) -> Result<u8, ServeError> {
    let stderr = streams::stderr().map_err(ServeError::start("find standard error"))?;
    log::install(address, Arc::new(stderr));
    let service = Service::new(provider);
    let address = address.to_owned();
    apart::run(move |runtime| async move {
        let listener = Listener::bind(&Environment::default())?;
        let text = reattach::instructions(&address, &listener);
        let announce = move || writeln!(std::io::stdout(), "{text}");
        host(service, runtime, listener, None, Interrupts::End, announce).await
    })
    .await
}

/// Says that we are there, and serves until the end, whose exit code it gives.
async fn host(
    service: Service,
    runtime: Handle,
    listener: Listener,
    tls: Option<Identity>,
    interrupts: Interrupts,
    announce: impl FnOnce() -> std::io::Result<()>,
) -> Result<u8, ServeError> {
    let ending = Ending::new(listener.place());
    let serve = async {
        ending.obey(interrupts).map_err(ServeError::start("listen for signals"))?;
        announce().map_err(ServeError::start("say where we listen"))?;
        let router = go_plugin::router(service, runtime, &ending).await;
        let connections = connection::incoming(listener, tls);
        let served = router.serve_with_incoming_shutdown(connections, ending.begun());
        served.await.map_err(ServeError::start("serve"))
    };
    let served = serve.await;
    let code = ending.complete();
    served.map(|()| code)
}

/// One write for each panic: Terraform shows lines that begin so to the user.
fn report_panics(stderr: Arc<File>) {
    panic::set_hook(Box::new(move |panic| {
        // It may be closed; nobody could be told.
        let _ = (&*stderr).write_all(format!("panic: {panic}\n").as_bytes());
    }));
}
