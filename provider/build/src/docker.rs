//! Docker's daemon, by its socket: finding it, handing its BuildKit over, taking images out of it.
//!
//! No `docker` program is run and nothing of its configuration is read.

mod archive;

use std::{fmt, io, path::PathBuf, time::Duration};

use bytes::Bytes;
use futures::TryStreamExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyDataStream, BodyExt, Empty, Limited};
use hyper::{body::Incoming, client::conn::http1, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{net::UnixStream, time::timeout};
use tokio_stream::StreamExt;
use tokio_util::io::{StreamReader, SyncIoBridge};

pub use archive::ArchiveError;
pub(crate) use archive::{Exported, Rewrite};

/// How long the daemon may take to accept, and to answer a small question.
const ANSWER: Duration = Duration::from_secs(30);
/// How long it may take to begin handing out an image: it copies all of it before.
const EXPORT: Duration = Duration::from_mins(15);
/// How long it may pause while it hands out an image.
const PAUSE: Duration = Duration::from_mins(2);

/// Where a daemon may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Socket(PathBuf),
    /// Anything else that `DOCKER_HOST` may say.
    Unsupported(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Unsupported(text) => f.write_str(text),
        }
    }
}

/// The builders that can be used beside the native one: Docker's daemon, at the first place that answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Builder {
    candidates: Vec<Address>,
}

impl Builder {
    /// The daemon at this socket.
    pub fn docker(socket: impl Into<PathBuf>) -> Self {
        Self { candidates: vec![Address::Socket(socket.into())] }
    }

    /// The daemon that `DOCKER_HOST` names, or else the usual places: rootless, Docker Desktop, system.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(host) = set("DOCKER_HOST") {
            let socket = host.strip_prefix("unix://").map(|path| Address::Socket(path.into()));
            return Self { candidates: vec![socket.unwrap_or(Address::Unsupported(host))] };
        }
        let rootless = set("XDG_RUNTIME_DIR").map(|folder| format!("{folder}/docker.sock"));
        let desktop = set("HOME").map(|home| format!("{home}/.docker/run/docker.sock"));
        let paths = rootless.into_iter().chain(desktop).chain(["/var/run/docker.sock".to_owned()]);
        Self { candidates: paths.map(|path| Address::Socket(path.into())).collect() }
    }

    pub(crate) async fn connect(&self) -> Result<Docker, NoDocker> {
        let mut tried = Vec::new();
        for address in &self.candidates {
            match address {
                Address::Unsupported(_) => tried.push(format!("{address}: not a unix socket")),
                Address::Socket(path) => match UnixStream::connect(path).await {
                    Ok(_) => return Ok(Docker { socket: path.clone() }),
                    Err(error) => tried.push(format!("{address}: {error}")),
                },
            }
        }
        Err(NoDocker { tried })
    }
}

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
    /// Its socket does not work.
    #[error("no connection to `{}`", socket.display())]
    Connection {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The conversation broke.
    #[error("the connection to the Docker daemon broke")]
    Http(#[from] hyper::Error),
    /// It said nothing for too long.
    #[error("the Docker daemon gave no answer in {} s", .0.as_secs())]
    Timeout(Duration),
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
    socket: PathBuf,
}

impl Docker {
    /// A connection on which the daemon's BuildKit speaks HTTP/2.
    pub(crate) async fn buildkit(&self) -> Result<Upgraded, DockerError> {
        let request = request(Method::POST, "/grpc")
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "h2c");
        let response = self.send(request, ANSWER).await?;
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(hyper::upgrade::on(response).await?),
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
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Names {
            repo_tags: Option<Vec<String>>,
        }
        let found = self.send(request(Method::GET, &format!("/images/{id}/json")), ANSWER).await?;
        if found.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        let body = body(expect_success(found).await?).await;
        let names = serde_json::from_slice::<Names>(&body).ok().and_then(|names| names.repo_tags);
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
        let connect = UnixStream::connect(&self.socket).await;
        let io = connect.map_err(|source| DockerError::Connection { socket: self.socket.clone(), source })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        tokio::spawn(connection.with_upgrades());
        let request = request.body(Empty::<Bytes>::new()).expect("methods and paths are well formed");
        match timeout(limit, sender.send_request(request)).await {
            Ok(response) => Ok(response?),
            Err(_) => Err(DockerError::Timeout(limit)),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(variables: &[(&str, &str)]) -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Builder::from_environment(variable).candidates.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn looks_in_the_usual_places() {
        assert_eq!(candidates(&[]), ["/var/run/docker.sock"]);
        assert_eq!(
            candidates(&[("HOME", "/home/me"), ("XDG_RUNTIME_DIR", "/run/user/1000"), ("DOCKER_HOST", "")]),
            ["/run/user/1000/docker.sock", "/home/me/.docker/run/docker.sock", "/var/run/docker.sock"]
        );
        assert_eq!(candidates(&[("DOCKER_HOST", "unix:///x.sock"), ("HOME", "/home/me")]), ["/x.sock"]);
        assert_eq!(candidates(&[("DOCKER_HOST", "tcp://1.2.3.4:2375")]), ["tcp://1.2.3.4:2375"]);
    }

    #[tokio::test]
    async fn an_absent_daemon_names_what_was_tried() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("docker.sock");
        let error = Builder::docker(&absent).connect().await.unwrap_err();
        let message = format!(
            "no Docker daemon answers (tried {}: No such file or directory (os error 2))",
            absent.display()
        );
        assert_eq!(error.to_string(), message);
        let tcp = Builder::from_environment(|name| (name == "DOCKER_HOST").then(|| "tcp://x".into()));
        let message = "no Docker daemon answers (tried tcp://x: not a unix socket)";
        assert_eq!(tcp.connect().await.unwrap_err().to_string(), message);
    }
}
