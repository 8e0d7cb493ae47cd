//! The connection within the connection, on which BuildKit is the client and this program the server.

use std::{sync::Arc, time::Duration};

use bollard_buildkit_proto::{
    health::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus,
        health_server::{Health, HealthServer},
    },
    moby::{
        buildkit::secrets::v1::secrets_server::SecretsServer,
        buildkit::v1::{BytesMessage, control_client::ControlClient},
        filesync::{
            packet::file_sync_server::FileSyncServer,
            v1::{auth_server::AuthServer, file_send_server::FileSendServer},
        },
        sshforward::v1::ssh_server::SshServer,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{
    Request, Response, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Server},
};

use super::{
    auth::Credentials, containerd::ContentServer, content::Store, file_sync::Shared, receive::Incoming,
    secrets::Values, ssh::Agents,
};

/// What one message carries at most, in bytes.
const MESSAGE: usize = 64 << 10;
/// The longest piece of an image that is taken, in bytes.
const LONGEST: usize = 16 << 20;

/// What BuildKit may call.
const METHODS: [&str; 7] = [
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.FileSend/diffcopy",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
    "/containerd.services.content.v1.Content/Info",
];

/// What is served in a session.
pub(super) struct Services {
    pub(super) files: Shared,
    pub(super) credentials: Credentials,
    pub(super) secrets: Values,
    pub(super) agents: Agents,
    pub(super) images: Store,
    pub(super) incoming: Incoming,
}

/// An open session. It ends when this is dropped.
pub(super) struct Session {
    id: String,
    tasks: [JoinHandle<()>; 2],
    heard: Arc<Notify>,
}

impl Session {
    pub(super) fn start(channel: Channel, services: Services) -> Self {
        let id = super::solve::random_id();
        let (ours, theirs) = tokio::io::duplex(MESSAGE * 4);
        let request = request(&id, &services.files.key());
        let server = Server::builder()
            .add_service(FileSyncServer::new(services.files))
            .add_service(AuthServer::new(services.credentials))
            .add_service(SecretsServer::new(services.secrets))
            .add_service(SshServer::new(services.agents))
            .add_service(ContentServer::new(services.images))
            .add_service(FileSendServer::new(services.incoming).max_decoding_message_size(LONGEST))
            .add_service(HealthServer::new(Healthy));
        let incoming = tokio_stream::once(Ok::<_, std::io::Error>(ours)).chain(tokio_stream::pending());
        let serving = tokio::spawn(async move {
            if let Err(error) = server.serve_with_incoming(incoming).await {
                tracing::debug!(%error, "the session with BuildKit ended");
            }
        });
        let heard = Arc::new(Notify::new());
        let hearing = heard.clone();
        let carrying = tokio::spawn(async move {
            if let Err(error) = carry(channel, request, theirs, &hearing).await {
                tracing::debug!(%error, "the session with BuildKit broke");
            }
        });
        Self { id, tasks: [serving, carrying], heard }
    }

    /// Waits until nothing was heard for so long. BuildKit asks every few seconds whether the session is well.
    pub(super) async fn silence(&self, limit: Duration) {
        while timeout(limit, self.heard.notified()).await.is_ok() {}
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Ends it and waits until nothing of it runs any more.
    pub(super) async fn end(mut self) {
        for task in &mut self.tasks {
            task.abort();
            task.await.ok();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

type Headers = Vec<(&'static str, MetadataValue<Ascii>)>;

fn request(id: &str, key: &str) -> Headers {
    let value = |text: &str| text.parse().expect("ids and names are plain ASCII");
    let mut headers = vec![
        ("x-docker-expose-session-uuid", value(id)),
        ("x-docker-expose-session-name", value("eks-deploy")),
        // BuildKit keeps what it was sent under this key and, at the next build, asks only for files whose
        // size or time differ. All our files have the same time, so the key stands for the content.
        ("x-docker-expose-session-sharedkey", value(key)),
    ];
    headers.extend(METHODS.map(|method| ("x-docker-expose-session-grpc-method", value(method))));
    headers
}

/// Carries bytes between the session's messages and our server.
async fn carry(
    channel: Channel,
    headers: Headers,
    stream: DuplexStream,
    heard: &Notify,
) -> Result<(), Status> {
    let (from_server, to_server) = tokio::io::split(stream);
    let (sender, receiver) = mpsc::channel(16);
    let sending = tokio::spawn(send(from_server, sender));
    let mut request = Request::new(ReceiverStream::new(receiver));
    for (name, value) in headers {
        request.metadata_mut().append(name, value);
    }
    let incoming = ControlClient::new(channel).session(request).await?.into_inner();
    let result = receive(incoming, to_server, heard).await;
    sending.abort();
    result
}

async fn send(mut from: ReadHalf<DuplexStream>, to: mpsc::Sender<BytesMessage>) {
    let mut buffer = vec![0; MESSAGE];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.send(BytesMessage { data: buffer[..read].to_vec() }).await.is_err() {
            return;
        }
    }
}

async fn receive(
    mut from: Streaming<BytesMessage>,
    mut to: WriteHalf<DuplexStream>,
    heard: &Notify,
) -> Result<(), Status> {
    while let Some(message) = from.message().await? {
        heard.notify_one();
        to.write_all(&message.data).await?;
    }
    Ok(())
}

/// Says that it is well: BuildKit gives a session up that does not.
struct Healthy;

#[tonic::async_trait]
impl Health for Healthy {
    type WatchStream = tokio_stream::Pending<Result<HealthCheckResponse, Status>>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("one service, always well"))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("it does not change"))
    }
}
