//! Docker's daemon: handing its BuildKit over, taking images out of it.
//!
//! No `docker` program is run. Where the daemon is found is not known here.

mod archive;

use std::{io, time::Duration};

use bytes::Bytes;
use ecr_registry::Digest;
use futures::TryStreamExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyDataStream, BodyExt, Empty, Limited};
use hyper::{body::Incoming, client::conn::http1, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::{
    connect::{ConnectError, connect},
    endpoint::{Address, ClientTls},
};

pub use archive::ArchiveError;
pub(crate) use archive::{Exported, Rewrite, attributes};

/// How long the daemon may take to accept, and to answer a small question.
const ANSWER: Duration = Duration::from_secs(30);
/// How long it may take to begin handing out an image: it copies all of it before.
const EXPORT: Duration = Duration::from_mins(15);
/// How long it may pause while it hands out an image.
const PAUSE: Duration = Duration::from_mins(2);

/// Docker's daemon was found nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no Docker daemon answers (tried {})", tried.join("; "))]
pub struct NoDocker {
    /// Where it was looked for, and what came of it.
    pub tried: Vec<String>,
}

/// The daemon did not do as it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerError {
    /// It cannot be reached.
    #[error(transparent)]
    Connection(#[from] ConnectError),
    /// The conversation broke.
    #[error("the connection to the Docker daemon broke")]
    Http(#[from] hyper::Error),
    /// It said nothing for too long.
    #[error("the Docker daemon gave no answer in {} s", .0.as_secs())]
    Timeout(Duration),
    /// Something else listens there.
    #[error("what answers is no Docker daemon")]
    NotDocker,
    /// Podman, or a daemon from before BuildKit.
    #[error("{0} has no BuildKit")]
    NoBuildkit(String),
    /// It refused.
    #[error("the Docker daemon answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// Its words.
        message: String,
    },
}

/// A daemon that answered.
#[derive(Debug, Clone)]
pub(crate) struct Docker {
    address: Address,
    tls: Option<ClientTls>,
    version: Version,
}

/// What a daemon says about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version: String,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    name: String,
}

/// An image of its store.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StoredImage {
    /// The digest of its configuration, or of its manifest where containerd keeps the images.
    pub(crate) id: Digest,
    repo_tags: Option<Vec<String>>,
}

impl Docker {
    /// Asks who it is.
    pub(crate) async fn connect(address: Address, tls: Option<ClientTls>) -> Result<Self, DockerError> {
        let unknown = Version { version: String::new(), components: Vec::new() };
        let mut docker = Self { address, tls, version: unknown };
        let answer = expect_success(docker.send(request(Method::GET, "/version"), ANSWER).await?).await?;
        docker.version = serde_json::from_slice(&body(answer).await).map_err(|_| DockerError::NotDocker)?;
        Ok(docker)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it is at least of this version. One that tells none that can be read is.
    pub(crate) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.version.version.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(own)), Some(Ok(own_minor))) => (own, own_minor) >= (major, minor),
            _ => true,
        }
    }

    /// What it says its version is.
    pub(crate) fn version(&self) -> &str {
        &self.version.version
    }

    /// The image of this name or id; `None` if it has none.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<StoredImage>, DockerError> {
        let found =
            self.send(request(Method::GET, &format!("/images/{}/json", escaped(name))), ANSWER).await?;
        if found.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let image = serde_json::from_slice(&body(expect_success(found).await?).await);
        image.map(Some).map_err(|_| DockerError::NotDocker)
    }

    /// A connection on which the daemon's BuildKit speaks HTTP/2.
    pub(crate) async fn buildkit(&self) -> Result<Upgraded, DockerError> {
        let request = request(Method::POST, "/grpc")
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "h2c");
        let response = self.send(request, ANSWER).await?;
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(hyper::upgrade::on(response).await?),
            StatusCode::NOT_FOUND => {
                let of = self.version.components.first().map(|component| component.name.clone());
                Err(DockerError::NoBuildkit(of.unwrap_or_else(|| "it".to_owned())))
            }
            _ => Err(refusal(response).await),
        }
    }

    /// The image as an archive, to be read in a thread that may block.
    pub(crate) async fn export(&self, id: &str) -> Result<impl io::Read + Send + use<>, DockerError> {
        let request = request(Method::GET, &format!("/images/{id}/get"));
        let response = expect_success(self.send(request, EXPORT).await?).await?;
        let pieces = BodyDataStream::new(response.into_body()).map_err(io::Error::other);
        let pieces = Box::pin(pieces.timeout(PAUSE)).map(|piece| match piece {
            Ok(piece) => piece,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the Docker daemon stopped sending")),
        });
        Ok(SyncIoBridge::new(StreamReader::new(pieces)))
    }

    /// Removes the image unless it has a name: then it was there before, and is somebody's.
    pub(crate) async fn remove_nameless(&self, id: &str) -> Result<(), DockerError> {
        let names = self.image(id).await?.map(|image| image.repo_tags.unwrap_or_default());
        if names.is_none_or(|names| !names.is_empty()) {
            return Ok(());
        }
        let removed = self.send(request(Method::DELETE, &format!("/images/{id}?noprune=1")), ANSWER).await?;
        expect_success(removed).await.map(drop)
    }

    async fn send(
        &self,
        request: http::request::Builder,
        limit: Duration,
    ) -> Result<Response<Incoming>, DockerError> {
        let io = connect(&self.address, self.tls.as_ref()).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        tokio::spawn(connection.with_upgrades());
        let request = request.body(Empty::<Bytes>::new()).expect("methods and paths are well formed");
        match timeout(limit, sender.send_request(request)).await {
            Ok(response) => Ok(response?),
            Err(_) => Err(DockerError::Timeout(limit)),
        }
    }
}

/// A name as a part of a path. Slashes and colons stay.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "docker")
}

async fn expect_success(response: Response<Incoming>) -> Result<Response<Incoming>, DockerError> {
    if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
}

async fn refusal(response: Response<Incoming>) -> DockerError {
    #[derive(serde::Deserialize)]
    struct Answer {
        message: String,
    }
    let status = response.status();
    let body = body(response).await;
    let message = match serde_json::from_slice::<Answer>(&body) {
        Ok(answer) => answer.message,
        Err(_) => String::from_utf8_lossy(&body).trim().to_owned(),
    };
    DockerError::Refused { status, message }
}

/// The body of a small answer; nothing if it is none.
async fn body(response: Response<Incoming>) -> Bytes {
    let limited = Limited::new(response.into_body(), 1 << 20);
    match timeout(ANSWER, limited.collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        _ => Bytes::new(),
    }
}
