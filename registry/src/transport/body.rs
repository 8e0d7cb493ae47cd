use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Take},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
};

use bytes::Bytes;
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{content::Descriptor, error::ErrorKind, names::Digester};

/// The bytes of a blob on their way.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, ErrorKind>>;

/// How much is read and handed over at once, in bytes.
const PIECE: usize = 256 * 1024;

/// The bytes of a blob in memory; nothing is copied.
pub(crate) fn stream_bytes(bytes: Bytes) -> impl Stream<Item = Result<Bytes, ErrorKind>> + Send + 'static {
    stream::unfold(bytes, async |mut rest| {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then_some((Ok(piece), rest))
    })
}

/// The bytes of a blob in a file, which has to be as long as the blob is.
pub(crate) async fn stream_file(path: PathBuf, size: u64) -> Result<Pieces, ErrorKind> {
    let actual = tokio::fs::metadata(&path).await.map_err(|cause| unusable(cause, &path))?.len();
    if actual != size {
        return Err(ErrorKind::SizeMismatch { expected: size, actual });
    }
    stream_part(path, 0, size).await
}

/// The bytes of a blob in a part of a file. One thread reads ahead by a piece, and stops when nobody takes it.
pub(crate) async fn stream_part(path: PathBuf, offset: u64, size: u64) -> Result<Pieces, ErrorKind> {
    let (sender, mut receiver) = mpsc::channel(1);
    let opened = {
        let path = path.clone();
        spawn_blocking(move || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        })
    };
    let file =
        opened.await.unwrap_or_else(|ended| Err(ended.into())).map_err(|cause| unusable(cause, &path))?;
    spawn_blocking(move || {
        let (mut rest, shelf) = (file.take(size), Shelf::default());
        loop {
            let piece = shelf.read(&mut rest).map_err(|cause| unusable(cause, &path));
            let (is_end, is_error) = (matches!(&piece, Ok(piece) if piece.is_empty()), piece.is_err());
            if is_end || sender.blocking_send(piece).is_err() || is_error {
                return;
            }
        }
    });
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)).boxed())
}

/// Buffers that come back when their bytes are sent. The system would clear the pages of new ones each time, which
/// takes as long as to read a file into them.
struct Shelf {
    home: Sender<Vec<u8>>,
    free: Receiver<Vec<u8>>,
}

impl Default for Shelf {
    fn default() -> Self {
        let (home, free) = std::sync::mpsc::channel();
        Self { home, free }
    }
}

impl Shelf {
    /// The next piece; empty at the end.
    fn read(&self, from: &mut Take<File>) -> io::Result<Bytes> {
        let most = usize::try_from(from.limit()).unwrap_or(PIECE).min(PIECE);
        let mut bytes = self.free.try_recv().unwrap_or_else(|_| Vec::with_capacity(most));
        bytes.clear();
        from.take(PIECE as u64).read_to_end(&mut bytes)?;
        Ok(Bytes::from_owner(Lent { bytes, home: self.home.clone() }))
    }
}

/// A buffer on its way.
struct Lent {
    bytes: Vec<u8>,
    home: Sender<Vec<u8>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        _ = self.home.send(std::mem::take(&mut self.bytes)); // nobody reads any more
    }
}

fn unusable(cause: io::Error, path: &Path) -> ErrorKind {
    ErrorKind::File { path: path.to_path_buf(), cause: Arc::new(cause) }
}

/// The same bytes, and an error if they are not those that were announced: in place of the last piece, so that nobody
/// who counts takes the wrong ones for whole.
pub(crate) fn checked<S>(
    pieces: S,
    expected: &Descriptor,
) -> impl Stream<Item = Result<Bytes, ErrorKind>> + Send + use<S>
where
    S: Stream<Item = Result<Bytes, ErrorKind>> + Send,
{
    let start =
        (Box::pin(pieces), Check { expected: expected.clone(), digester: Digester::new(), length: 0 }, false);
    stream::unfold(start, async |(mut pieces, mut check, ended)| {
        if ended {
            return None;
        }
        let item = match pieces.next().await {
            Some(Ok(piece)) => check.piece(&piece).map(|()| piece),
            Some(Err(error)) => Err(error),
            None => Err(check.end().err()?),
        };
        let ended = item.is_err();
        Some((item, (pieces, check, ended)))
    })
}

/// What has come of a blob.
struct Check {
    expected: Descriptor,
    digester: Digester,
    length: u64,
}

impl Check {
    fn piece(&mut self, piece: &Bytes) -> Result<(), ErrorKind> {
        self.digester.update(piece);
        self.length += piece.len() as u64;
        if self.length < self.expected.size { Ok(()) } else { self.end() }
    }

    fn end(&self) -> Result<(), ErrorKind> {
        let Descriptor { digest: expected, size, .. } = self.expected;
        if self.length != size {
            return Err(ErrorKind::SizeMismatch { expected: size, actual: self.length });
        }
        match self.digester.clone().finish() {
            actual if actual == expected => Ok(()),
            actual => Err(ErrorKind::DigestMismatch { expected, actual }),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    async fn collected(pieces: impl Stream<Item = Result<Bytes, ErrorKind>>) -> Result<Vec<u8>, String> {
        let pieces: Vec<Bytes> = pieces.try_collect().await.map_err(|error| error.to_string())?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn bytes_come_in_pieces() {
        let bytes = Bytes::from(vec![7; 2 * PIECE + 1]);
        let pieces: Vec<Bytes> = stream_bytes(bytes.clone()).try_collect().await.unwrap();
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [PIECE, PIECE, 1]);
        assert_eq!(pieces.concat(), bytes);
        assert_eq!(collected(stream_bytes(Bytes::new())).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_file_has_to_be_as_long_as_announced() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        let path = file.path().to_path_buf();
        assert_eq!(collected(stream_file(path.clone(), 3).await.unwrap()).await.unwrap(), b"abc");
        assert_eq!(collected(stream_part(path.clone(), 1, 2).await.unwrap()).await.unwrap(), b"bc");
        let error = stream_file(path, 4).await.err().unwrap();
        assert_eq!(error.to_string(), "the content has 3 bytes, not 4");
        let error = stream_file("/nonexistent".into(), 4).await.err().unwrap();
        assert_eq!(error.to_string(), "file `/nonexistent` cannot be used");
    }

    #[tokio::test]
    async fn wrong_bytes_are_never_complete() {
        let announced = Descriptor::of("", b"abc");
        let pieces = futures::stream::iter([b"a", b"b", b"d"].map(|piece| Ok(Bytes::from_static(piece))));
        let pieces: Vec<_> = checked(pieces, &announced).collect().await;
        assert_eq!((pieces.len(), pieces[1].is_ok(), pieces[2].is_ok()), (3, true, false));
    }

    #[tokio::test]
    async fn a_file_comes_in_pieces() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..=250).cycle().take(2 * PIECE + 10).collect();
        std::fs::write(file.path(), &content).unwrap();
        let check = async |offset: usize, size: usize, expected: &[usize]| {
            let pieces = stream_part(file.path().to_path_buf(), offset as u64, size as u64).await.unwrap();
            let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
            assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), expected);
            assert_eq!(pieces.concat(), content[offset..offset + size]);
        };
        check(0, 2 * PIECE + 10, &[PIECE, PIECE, 10]).await;
        check(7, 2 * PIECE, &[PIECE, PIECE]).await;
        check(9, 1, &[1]).await;
        check(0, 0, &[]).await;
    }

    #[tokio::test]
    async fn other_bytes_are_noticed() {
        let announced = Descriptor::of("", b"abc");
        let check = async |bytes: &'static [u8], expected: Result<&[u8], &str>| {
            let got = collected(checked(stream_bytes(Bytes::from_static(bytes)), &announced)).await;
            assert_eq!(got.as_deref().map_err(String::as_str), expected);
        };
        check(b"abc", Ok(b"abc")).await;
        check(b"ab", Err("the content has 2 bytes, not 3")).await;
        check(b"abcd", Err("the content has 4 bytes, not 3")).await;
        let [other, wanted] = [b"abd", b"abc"].map(|bytes| crate::names::Digest::of(bytes));
        check(b"abd", Err(&format!("the content has digest {other}, not {wanted}"))).await;
    }
}
