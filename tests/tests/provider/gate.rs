//! A way to a registry that lets everything pass but one kind of request.

use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A port that leads there until it is dropped.
pub(crate) struct Gate {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
    passes: usize,
    is_open: watch::Sender<bool>,
    _open: Runtime,
}

/// What is kept from passing: a method, and a part of the path.
#[derive(Clone)]
struct Shut {
    to: SocketAddr,
    method: &'static str,
    path: &'static str,
    /// So many pass.
    passes: usize,
    seen: Arc<AtomicUsize>,
    is_open: watch::Receiver<bool>,
}

impl Gate {
    /// Keeps such requests: they are neither passed on nor answered, and their connections stay open.
    pub(crate) fn shut_before(to: SocketAddr, method: &'static str, path: &'static str) -> Self {
        Self::shut_after(0, to, method, path)
    }

    /// The same, once so many have passed.
    pub(crate) fn shut_after(
        passes: usize,
        to: SocketAddr,
        method: &'static str,
        path: &'static str,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, is_open) = watch::channel(false);
        let seen = Arc::new(AtomicUsize::new(0));
        let shut = Shut { to, method, path, passes, seen: Arc::clone(&seen), is_open };
        runtime.spawn(serve(listener, shut));
        Self { address, seen, passes, is_open: sender, _open: runtime }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests wait.
    pub(crate) fn holds(&self) -> usize {
        self.seen.load(Ordering::Relaxed).saturating_sub(self.passes)
    }

    /// Lets everything pass from now on.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

async fn serve(listener: TcpListener, shut: Shut) -> Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(pass(client, shut.clone()));
    }
}

async fn pass(client: TcpStream, mut shut: Shut) -> Result<()> {
    let (mut asked, mut answered) = client.into_split();
    let (mut answers, mut asks) = TcpStream::connect(shut.to).await?.into_split();
    tokio::spawn(async move { copy(&mut answers, &mut answered).await });
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = asked.read(&mut bytes).await?;
        if read == 0 {
            return asks.shutdown().await;
        }
        if shut.keeps(&bytes[..read]) && shut.is_open.wait_for(|open| *open).await.is_err() {
            return Ok(());
        }
        asks.write_all(&bytes[..read]).await?;
    }
}

impl Shut {
    /// Whether such a request begins here: clients send its first line in one piece.
    fn keeps(&self, bytes: &[u8]) -> bool {
        let line = bytes.split(|byte| *byte == b'\r').next().map(String::from_utf8_lossy).unwrap_or_default();
        let rest = line.strip_prefix(self.method);
        let is_meant = rest.is_some_and(|rest| rest.starts_with(' ') && rest.contains(self.path));
        is_meant && self.seen.fetch_add(1, Ordering::Relaxed) >= self.passes
    }
}
