//! Distance: what goes through takes as long as it would on a line with this round trip, and as many bytes fit on it
//! as the socket buffers hold.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// A way to a server that takes long. It ends with this.
pub(super) struct Delay {
    pub(super) address: SocketAddr,
    _runtime: Runtime,
}

const PIECE: usize = 64 * 1024;
/// Pieces on the line in one direction.
const PIECES: usize = 128;

impl Delay {
    pub(super) fn start(server: SocketAddr, round_trip: Duration) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server, round_trip));
            }
        });
        Ok(Self { address, _runtime: runtime })
    }
}

async fn connect(client: TcpStream, server: SocketAddr, round_trip: Duration) -> Result<()> {
    // What shaking hands would have taken: our client believes that it is done.
    let connected = Instant::now() + round_trip;
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(carry(from_client, to_server, round_trip / 2, connected));
    carry(from_server, to_client, round_trip / 2, connected).await;
    Ok(())
}

/// Each piece arrives `after` it was sent, and not before the connection is made.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, after: Duration, connected: Instant) {
    let (line, mut arrivals) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let sending = async move {
        loop {
            let mut piece = vec![0; PIECE];
            match from.read(&mut piece).await {
                Ok(length @ 1..) => piece.truncate(length),
                Ok(0) | Err(_) => return,
            }
            if line.send((Instant::now().max(connected) + after, piece)).await.is_err() {
                return;
            }
        }
    };
    let arriving = async move {
        while let Some((time, piece)) = arrivals.recv().await {
            sleep_until(time).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        _ = to.shutdown().await; // the other side may be gone
    };
    tokio::join!(sending, arriving);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_goes_through_comes_out_later() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let round_trip = Duration::from_millis(20);
        let delay = Delay::start(server.local_addr().unwrap(), round_trip).unwrap();
        let content = vec![7; 3 * PIECE + 1];
        let start = std::time::Instant::now();
        let mut client = TcpStream::connect(delay.address).unwrap();
        let echo = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).unwrap();
            stream.write_all(&got).unwrap();
        });
        client.write_all(&content).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        echo.join().unwrap();
        assert!(got == content && start.elapsed() >= 2 * round_trip); // shaking hands, there and back
    }
}
