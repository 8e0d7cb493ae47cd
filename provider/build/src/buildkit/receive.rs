//! Takes the archive in which BuildKit hands out what it built.

use std::{
    io::{self, Read},
    sync::Mutex,
};

use bollard_buildkit_proto::moby::filesync::v1::{BytesMessage, file_send_server::FileSend};
use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

/// How many messages wait to be read. One has at most 3 MiB.
const AHEAD: usize = 4;
/// What a builder is told when its archive cannot be taken.
pub(super) const UNREADABLE: &str = "the image cannot be read";

/// Where the archive comes in, once.
pub(super) struct Incoming(Mutex<Option<mpsc::Sender<Bytes>>>);

/// The archive, to be read in a thread that may block. It ends early when the build does.
pub(super) struct Archive {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

/// Both ends.
pub(super) fn archive() -> (Incoming, Archive) {
    let (sender, pieces) = mpsc::channel(AHEAD);
    (Incoming(Mutex::new(Some(sender))), Archive { pieces, piece: Bytes::new() })
}

#[tonic::async_trait]
impl FileSend for Incoming {
    type DiffCopyStream = tokio_stream::Empty<Result<BytesMessage, Status>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let sender = self.0.lock().ok().and_then(|mut sender| sender.take());
        let sender = sender.ok_or_else(|| Status::failed_precondition("the image was sent already"))?;
        let mut messages = request.into_inner();
        while let Some(message) = messages.message().await? {
            let sent = sender.send(message.data.into()).await;
            sent.map_err(|_| Status::aborted(UNREADABLE))?;
        }
        Ok(Response::new(tokio_stream::empty()))
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let taken = self.piece.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.piece[..taken]);
        self.piece.advance(taken);
        Ok(taken)
    }
}
