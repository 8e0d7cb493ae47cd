//! Tokens over a socket in the run's folder: the process that a person started holds the credentials, the others ask it.
//!
//! Kubernetes clients start a program for a token several times per command. Each would find credentials anew: assume
//! the role again, ask for a code of a second factor where nobody can type one.

use std::{
    io::{self, Read as _},
    os::unix::net::UnixStream as Connection,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::AsyncWriteExt as _,
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use super::{signer::Signer, token::Token};
use crate::{exit::Exit, failure::Explain};

/// More than any answer, in bytes.
const LONGEST: u64 = 64 * 1024;
/// How long an answer may take: a role is assumed meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

/// What one question is answered. There is no other question, so nothing is sent to ask it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    /// A token, and the second of its end.
    Token { text: String, expires: u64 },
    /// Why there is none.
    Error(String),
}

/// The socket; it answers nobody any more when dropped.
#[derive(Debug)]
pub(crate) struct TokenSocket(JoinHandle<()>);

impl TokenSocket {
    /// Begins to answer at `path`, which only this user can reach.
    pub(crate) fn open(path: &Path, mut signer: Signer) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        Ok(Self(tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if is_this_user(&client) {
                    // A client that has gone has no use for it.
                    let _ = client.write_all(answer(&mut signer).await.as_bytes()).await;
                }
            }
        })))
    }
}

impl Drop for TokenSocket {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn is_this_user(client: &UnixStream) -> bool {
    client.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

async fn answer(signer: &mut Signer) -> String {
    let answer = match signer.token(SystemTime::now()).await {
        Ok(token) => {
            let expires = token.expires_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            Answer::Token { text: token.expose().to_owned(), expires }
        }
        Err(failure) => Answer::Error(failure.to_string()),
    };
    serde_json::to_string(&answer).expect("texts and a number are JSON")
}

/// The socket gives no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Nobody answers, or not in the form of an answer.
    #[error("eks-deploy, which started this, gives no token")]
    Socket(#[source] io::Error),
    /// It has none to give.
    #[error("{0}")]
    Refused(String),
}

impl Explain for AskError {
    fn exit(&self) -> Exit {
        Exit::Access
    }
}

/// Asks for a token.
pub(crate) fn ask(path: &Path) -> Result<Token, AskError> {
    let read = || {
        let connection = Connection::connect(path)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut text = String::new();
        connection.take(LONGEST).read_to_string(&mut text)?;
        Ok(serde_json::from_str(&text)?)
    };
    match read().map_err(AskError::Socket)? {
        Answer::Token { text, expires } => Ok(Token::signed(text, UNIX_EPOCH + Duration::from_secs(expires))),
        Answer::Error(text) => Err(AskError::Refused(text)),
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;

    use super::*;

    #[tokio::test]
    async fn rule_13_gives_a_token_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let end = SystemTime::now() + Duration::from_mins(9);
        let keys = Credentials::new("A", "B", None, Some(end), "test");
        let socket = TokenSocket::open(&path, Signer::with(keys, "prod", "eu-west-1")).unwrap();
        let asked = path.clone();
        let token = tokio::task::spawn_blocking(move || ask(&asked)).await.unwrap().unwrap();
        assert!(token.expose().starts_with("k8s-aws-v1."));
        assert!(token.expires_at <= end && token.expires_at + Duration::from_secs(1) > end);
        drop(socket);
        tokio::task::yield_now().await;
        let error = tokio::task::spawn_blocking(move || ask(&path)).await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "eks-deploy, which started this, gives no token");
    }
}
