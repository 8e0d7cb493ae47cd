//! The bytes of blobs: in memory, in files, or gone as soon as they came.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use axum::body::Body;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

/// Where blobs are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// In memory.
    #[default]
    Memory,
    /// In a folder that goes with the emulator.
    Files,
    /// Nowhere, digests checked. What is small stays in memory, so that a configuration can be read again.
    Nothing,
    /// Nowhere, and every digest is believed: takes bytes as fast as they can be sent.
    NothingUnchecked,
}

/// The most that is kept of a blob where nothing is kept.
const SMALL: usize = 256 * 1024;
const READ: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Blob {
    pub(crate) size: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Memory(Bytes),
    File(TempPath),
    Gone,
}

/// A blob that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    hash: Option<Sha256>,
    size: u64,
    to: Target,
}

#[derive(Debug)]
enum Target {
    Memory { bytes: Vec<u8>, most: usize },
    File(File, TempPath),
    Nowhere,
}

impl Writer {
    pub(crate) fn new(keep: Keep, folder: &Path) -> std::io::Result<Self> {
        let to = match keep {
            Keep::Memory => Target::Memory { bytes: Vec::new(), most: usize::MAX },
            Keep::Files => {
                let (file, path) = tempfile::NamedTempFile::new_in(folder)?.into_parts();
                Target::File(file, path)
            }
            Keep::Nothing | Keep::NothingUnchecked => Target::Memory { bytes: Vec::new(), most: SMALL },
        };
        let hash = (keep != Keep::NothingUnchecked).then(Sha256::new);
        Ok(Self { hash, size: 0, to })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn write(&mut self, data: &[u8]) -> std::io::Result<()> {
        self.size += data.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
        match &mut self.to {
            Target::Memory { bytes, most } if bytes.len() + data.len() <= *most => {
                bytes.extend_from_slice(data);
            }
            Target::Memory { .. } => self.to = Target::Nowhere,
            Target::File(file, _) => file.write_all(data)?,
            Target::Nowhere => {}
        }
        Ok(())
    }

    /// The blob, if its digest is that one.
    pub(crate) fn finish(self, digest: &str) -> Option<Blob> {
        if let Some(hash) = self.hash
            && digest != format!("sha256:{}", hex::encode(hash.finalize()))
        {
            return None;
        }
        let content = match self.to {
            Target::Memory { bytes, .. } => Content::Memory(bytes.into()),
            Target::File(_, path) => Content::File(path),
            Target::Nowhere => Content::Gone,
        };
        Some(Blob { size: self.size, content })
    }
}

impl Blob {
    /// One that is kept in memory.
    pub(crate) fn of(bytes: Bytes) -> Self {
        Self { size: bytes.len() as u64, content: Content::Memory(bytes) }
    }

    /// A part of the bytes, or `None` where they were not kept.
    pub(crate) fn body(&self, range: Range<u64>) -> std::io::Result<Option<Body>> {
        let length = range.end - range.start;
        Ok(match &self.content {
            Content::Memory(bytes) => {
                let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
                Some(Body::from(bytes.slice(at(range.start)..at(range.end))))
            }
            Content::File(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                let file = tokio::fs::File::from_std(file).take(length);
                Some(Body::from_stream(ReaderStream::with_capacity(file, READ)))
            }
            Content::Gone => None,
        })
    }
}
