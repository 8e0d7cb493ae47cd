//! Connections, accepted and made safe.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::{socket::Listener, tls::Identity};

/// A client that has not proved itself by then is dropped.
const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A connection of either network, with or without TLS.
pub(super) struct Connection(Pin<Box<dyn Stream>>);

/// Accepts until the receiver is dropped. A client that fails TLS harms nobody else.
pub(super) fn incoming(listener: Listener, tls: Option<Identity>) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(16);
    let acceptor = tls.map(|identity| TlsAcceptor::from(identity.config));
    tokio::spawn(async move {
        while !sender.is_closed() {
            match listener.accept().await {
                Ok(connection) => {
                    let (sender, acceptor) = (sender.clone(), acceptor.clone());
                    tokio::spawn(async move {
                        match secure(connection, acceptor).await {
                            // The server is ending if nobody takes it.
                            Ok(connection) => drop(sender.send(Ok(connection)).await),
                            Err(error) => tracing::warn!(%error, "refused a connection"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Out of file descriptors, most likely: some will come free.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    });
    ReceiverStream::new(receiver)
}

async fn secure(connection: Connection, acceptor: Option<TlsAcceptor>) -> io::Result<Connection> {
    match acceptor {
        None => Ok(connection),
        Some(acceptor) => {
            let stream = timeout(TLS_HANDSHAKE, acceptor.accept(connection)).await??;
            Ok(Connection(Box::pin(stream)))
        }
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<Connection> {
        Ok(match self {
            #[cfg(unix)]
            Self::Unix { listener, .. } => Connection(Box::pin(listener.accept().await?.0)),
            Self::Tcp { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Connection(Box::pin(stream))
            }
        })
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }
}
