//! A way to the ECR front that lets everything pass but one kind of request.

use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// A port that leads to the front until it is dropped.
pub(crate) struct Gate {
    address: SocketAddr,
    holds: Arc<AtomicBool>,
    _open: Runtime,
}

/// What is kept from passing: a method, and a part of the path.
#[derive(Clone, Copy)]
struct Shut {
    front: SocketAddr,
    method: &'static str,
    path: &'static str,
}

impl Gate {
    /// Keeps such requests: they are neither passed on nor answered, and their connections stay open.
    pub(crate) fn shut_before(front: SocketAddr, method: &'static str, path: &'static str) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let holds = Arc::new(AtomicBool::new(false));
        runtime.spawn(serve(listener, Shut { front, method, path }, Arc::clone(&holds)));
        Self { address, holds, _open: runtime }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a request waits.
    pub(crate) fn holds(&self) -> bool {
        self.holds.load(Ordering::Relaxed)
    }
}

async fn serve(listener: TcpListener, shut: Shut, holds: Arc<AtomicBool>) -> Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(pass(client, shut, Arc::clone(&holds)));
    }
}

async fn pass(client: TcpStream, shut: Shut, holds: Arc<AtomicBool>) -> Result<()> {
    let (mut asked, mut answered) = client.into_split();
    let (mut answers, mut asks) = TcpStream::connect(shut.front).await?.into_split();
    tokio::spawn(async move { copy(&mut answers, &mut answered).await });
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = asked.read(&mut bytes).await?;
        if read == 0 {
            return asks.shutdown().await;
        }
        if shut.keeps(&bytes[..read]) {
            holds.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        asks.write_all(&bytes[..read]).await?;
    }
}

impl Shut {
    /// Whether such a request begins here: clients send its first line in one piece.
    fn keeps(self, bytes: &[u8]) -> bool {
        let line = bytes.split(|byte| *byte == b'\r').next().map(String::from_utf8_lossy).unwrap_or_default();
        line.strip_prefix(self.method).is_some_and(|rest| rest.starts_with(' ') && rest.contains(self.path))
    }
}
