//! Lets steps ask the user's SSH agent for signatures. Keys never leave the agent.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bollard_buildkit_proto::moby::sshforward::v1::{
    BytesMessage, CheckAgentRequest, CheckAgentResponse, ssh_server::Ssh,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UnixStream,
    sync::mpsc,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// How long an agent may take to accept a connection.
const ACCEPT: Duration = Duration::from_secs(10);
/// What one message carries at most, in bytes.
const MESSAGE: usize = 32 << 10;
/// The header that names the agent.
const ID: &str = "buildkit.ssh.id";
/// The agent where none is named.
const DEFAULT: &str = "default";

/// The agents' sockets by their ids.
pub(super) struct Agents(pub(super) BTreeMap<String, PathBuf>);

impl Agents {
    fn socket(&self, id: &str) -> Result<&PathBuf, Status> {
        let id = if id.is_empty() { DEFAULT } else { id };
        self.0.get(id).ok_or_else(|| Status::not_found(format!("no SSH agent `{id}`: name it in `ssh`")))
    }
}

#[tonic::async_trait]
impl Ssh for Agents {
    type ForwardAgentStream = ReceiverStream<Result<BytesMessage, Status>>;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request.metadata().get(ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let socket = self.socket(id)?;
        let refused = |why: String| Status::unavailable(format!("SSH agent `{}`: {why}", socket.display()));
        let agent = match timeout(ACCEPT, UnixStream::connect(socket)).await {
            Ok(connected) => connected.map_err(|error| refused(error.to_string()))?,
            Err(_) => return Err(refused("no answer".to_owned())),
        };
        let (from_agent, to_agent) = agent.into_split();
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(questions(request.into_inner(), to_agent));
        tokio::spawn(answers(from_agent, sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

async fn questions(mut from: Streaming<BytesMessage>, mut to: impl AsyncWrite + Unpin) {
    while let Ok(Some(message)) = from.message().await {
        if to.write_all(&message.data).await.is_err() {
            return;
        }
    }
    to.shutdown().await.ok();
}

async fn answers(mut from: impl AsyncRead + Unpin, to: mpsc::Sender<Result<BytesMessage, Status>>) {
    let mut buffer = vec![0; MESSAGE];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.send(Ok(BytesMessage { data: buffer[..read].to_vec() })).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::moby::sshforward::v1::{ssh_client::SshClient, ssh_server::SshServer};
    use hyper_util::rt::TokioIo;
    use tokio::net::UnixListener;
    use tokio_stream::StreamExt;
    use tonic::{Code, transport::Server};

    use super::*;
    use crate::fleet::over;

    /// Answers everything it is told in reverse.
    async fn agent(listener: UnixListener) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = vec![0; 3];
        stream.read_exact(&mut question).await.unwrap();
        question.reverse();
        stream.write_all(&question).await.unwrap();
    }

    #[tokio::test]
    async fn carries_questions_to_the_agent_and_its_answers_back() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        tokio::spawn(agent(UnixListener::bind(&socket).unwrap()));
        let agents =
            Agents([(DEFAULT.to_owned(), socket), ("gone".to_owned(), folder.path().join("gone"))].into());
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let incoming = tokio_stream::once(Ok::<_, std::io::Error>(ours)).chain(tokio_stream::pending());
        let server = Server::builder().add_service(SshServer::new(agents));
        tokio::spawn(server.serve_with_incoming(incoming));
        let mut client = SshClient::new(over(TokioIo::new(theirs)).await.unwrap());

        for (id, expected) in [("", Code::Ok), ("default", Code::Ok), ("other", Code::NotFound)] {
            let answer = client.check_agent(CheckAgentRequest { id: id.to_owned() }).await;
            assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), expected, "{id}");
        }
        let question =
            || tokio_stream::once(BytesMessage { data: b"abc".to_vec() }).chain(tokio_stream::pending());
        let mut answers = client.forward_agent(question()).await.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap().data, b"cba");
        let mut gone = Request::new(question());
        gone.metadata_mut().insert(ID, "gone".parse().unwrap());
        assert_eq!(client.forward_agent(gone).await.unwrap_err().code(), Code::Unavailable);
    }
}
