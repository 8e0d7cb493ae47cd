//! A provider's process, from its first line to its end.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};
use tonic::transport::Channel;

use super::{Client, Handshake, HostError, Identity, LogLine, PATIENCE, connect};

/// A provider that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Plugin {
    program: PathBuf,
    line: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: Log,
    reading: JoinHandle<()>,
    identity: Option<Identity>,
}

/// How a provider ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code, if no signal killed it.
    pub code: Option<i32>,
    /// All it wrote to standard output, the handshake included.
    pub stdout: String,
    /// All it wrote to standard error.
    pub stderr: String,
    /// The same, line by line.
    pub log: Vec<LogLine>,
}

/// Standard error as it comes.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn lines(&self) -> Vec<LogLine> {
        self.text().lines().map(LogLine::read).collect()
    }

    async fn fill(self, mut pipe: impl AsyncRead + Unpin) {
        let mut bytes = vec![0; 8 << 10];
        while let Ok(count @ 1..) = pipe.read(&mut bytes).await {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..count]);
        }
    }
}

impl Plugin {
    pub(super) async fn start(
        program: PathBuf,
        mut command: Command,
        identity: Option<Identity>,
    ) -> Result<Self, HostError> {
        let failed = |source| HostError::Run { program: program.clone(), source };
        let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        let log = Log::default();
        let reading = tokio::spawn(log.clone().fill(stderr));
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let read = timeout(PATIENCE, stdout.read_line(&mut line)).await;
        read.map_err(|_| HostError::Late("write its handshake"))?.map_err(failed)?;
        Ok(Self { program, line, child, stdout, log, reading, identity })
    }

    /// The first line it wrote, with its end; empty if there was none.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Its process id; `None` once it ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.log.lines()
    }

    /// Its first line, understood.
    ///
    /// # Errors
    /// [`HostError::Handshake`] if go-plugin could not use it.
    pub fn handshake(&self) -> Result<Handshake, HostError> {
        Handshake::read(self.line.trim_end()).map_err(|problem| HostError::Handshake {
            line: self.line.trim_end().to_owned(),
            problem,
            stderr: self.log.text(),
        })
    }

    /// Opens a connection, as the one it was started for.
    ///
    /// # Errors
    /// If it cannot be reached or does not let us in.
    pub async fn connect(&self) -> Result<Channel, HostError> {
        self.connect_as(self.identity.as_ref()).await
    }

    /// Opens a connection as somebody else, or as nobody. Under TLS 1.3 some refusals only show at the
    /// first call.
    ///
    /// # Errors
    /// If it cannot be reached or does not let us in.
    pub async fn connect_as(&self, identity: Option<&Identity>) -> Result<Channel, HostError> {
        connect::channel(&self.handshake()?, identity).await
    }

    /// Connects and opens what go-plugin keeps open.
    ///
    /// # Errors
    /// If it cannot be reached or does not let us in.
    pub async fn client(self) -> Result<Client, HostError> {
        Client::open(self).await
    }

    /// Waits until it ended and all its output is read; it is killed if it does not end.
    ///
    /// # Errors
    /// [`HostError::Late`].
    pub async fn end(mut self) -> Result<Ended, HostError> {
        let mut stdout = self.line;
        let ended = async {
            self.stdout.read_to_string(&mut stdout).await?;
            self.child.wait().await
        };
        let status = timeout(PATIENCE, ended).await.map_err(|_| HostError::Late("end"))?;
        let status = status.map_err(|source| HostError::Run { program: self.program, source })?;
        // A child of its own may still hold the pipe; go-plugin would wait for it, too.
        timeout(PATIENCE, self.reading).await.map_err(|_| HostError::Late("close its standard error"))?.ok();
        Ok(Ended { code: status.code(), stdout, stderr: self.log.text(), log: self.log.lines() })
    }
}
