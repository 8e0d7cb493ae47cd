use std::{io, sync::Arc, time::Duration};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::{Direction, Kind, Shared};

/// What ends a connection before its time.
enum Verdict {
    Cut,
    Reset,
    Stall,
    Kill,
}

/// How bytes are handed on.
#[derive(Clone, Copy)]
enum Manner {
    AsTheyCome,
    /// This many single bytes, then as they come.
    Split(usize),
    Slow,
}

const BUFFER: usize = 64 * 1024;
/// How many bytes come one by one: the lines of a request and more.
const SPLIT: usize = 1024;
/// A drop, in bytes.
const DROP: usize = 8 * 1024;
const BETWEEN_DROPS: Duration = Duration::from_millis(1);

/// Carries bytes between the two until both have no more, or what is scheduled ends it.
pub(super) async fn relay(shared: Arc<Shared>, number: usize, mut client: TcpStream) {
    let Ok(mut server) = TcpStream::connect(shared.to).await else { return };
    let verdict = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let up = Way { shared: &shared, number, direction: Direction::Up, passed: 0 };
        let down = Way { direction: Direction::Down, ..up };
        tokio::try_join!(up.carry(from_client, to_server), down.carry(from_server, to_client))
    };
    match verdict {
        Ok(_) => {}
        Err(Verdict::Cut) => {
            // Told in order, and then read to the end: what is closed with bytes unread is reset.
            _ = tokio::join!(client.shutdown(), server.shutdown());
            tokio::join!(drain(client), drain(server));
        }
        Err(Verdict::Reset) => _ = (client.set_zero_linger(), server.set_zero_linger()),
        Err(Verdict::Stall) => std::future::pending().await,
        Err(Verdict::Kill) => {
            shared.kill.notify_one();
            drain(client).await; // until it is gone
        }
    }
}

/// Takes what comes, up to the end.
async fn drain(mut from: impl AsyncRead + Unpin) {
    _ = copy(&mut from, &mut sink()).await;
}

/// One direction of a connection.
#[derive(Clone, Copy)]
struct Way<'a> {
    shared: &'a Shared,
    number: usize,
    direction: Direction,
    passed: u64,
}

impl Way<'_> {
    /// Ends with the bytes, or with the connection of one of the two: then the other one is told.
    async fn carry(self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Verdict> {
        match self.carry_all(&mut from, &mut to).await {
            Ok(()) => Ok(()),
            Err(Ended::By(verdict)) => Err(verdict),
            Err(Ended::Connection) => {
                _ = to.shutdown().await;
                Ok(())
            }
        }
    }

    async fn carry_all(mut self, from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> Result<(), Ended> {
        let (mut buffer, mut manner) = (vec![0; BUFFER], Manner::AsTheyCome);
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(to.shutdown().await?);
            }
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let (length, fault) = self.shared.claim(self.number, self.direction, self.passed, rest.len());
                let (now, later) = rest.split_at(length);
                manner = manner.pass(now, to).await?;
                (rest, self.passed) = (later, self.passed + length as u64);
                match fault {
                    None => {}
                    Some(Kind::Slow) => manner = Manner::Slow,
                    Some(Kind::Split) => manner = Manner::Split(SPLIT),
                    Some(Kind::Swallow) => {
                        drain(from).await;
                        return Ok(());
                    }
                    Some(Kind::HalfClose) => {
                        to.shutdown().await?;
                        drain(from).await;
                        return Ok(());
                    }
                    Some(Kind::Cut) => return Err(Ended::By(Verdict::Cut)),
                    Some(Kind::Reset) => return Err(Ended::By(Verdict::Reset)),
                    Some(Kind::Stall) => return Err(Ended::By(Verdict::Stall)),
                    Some(Kind::Kill) => return Err(Ended::By(Verdict::Kill)),
                }
            }
        }
    }
}

enum Ended {
    Connection,
    By(Verdict),
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Connection
    }
}

impl Manner {
    /// Hands the bytes on, and tells how to go on.
    async fn pass(self, bytes: &[u8], to: &mut WriteHalf<'_>) -> io::Result<Self> {
        match self {
            Self::AsTheyCome => to.write_all(bytes).await?,
            Self::Split(left) => {
                let (single, rest) = bytes.split_at(left.min(bytes.len()));
                for byte in single.chunks(1) {
                    to.write_all(byte).await?;
                    tokio::task::yield_now().await;
                }
                to.write_all(rest).await?;
                return Ok(Self::Split(left - single.len()));
            }
            Self::Slow => {
                for drop in bytes.chunks(DROP) {
                    to.write_all(drop).await?;
                    tokio::time::sleep(BETWEEN_DROPS).await;
                }
            }
        }
        Ok(self)
    }
}
