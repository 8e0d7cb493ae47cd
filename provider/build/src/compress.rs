//! Turns the bytes of a layer's archive into a blob: compressed, digested, kept until it is sent.
//!
//! Equal bytes in, equal bytes out, whatever the number of processors and the size of the writes: gzip is
//! compressed in blocks of fixed size, each a gzip member of its own, and zstd always by worker threads.

use std::{
    collections::VecDeque,
    fs,
    io::{self, Write},
    mem,
    num::NonZero,
    path::PathBuf,
    thread::{self, JoinHandle},
};

use ecr_registry::{
    Blob, BlobSource, Descriptor, Digest,
    content::media_type::{OCI_LAYER_GZIP, OCI_LAYER_ZSTD},
    names::Digester,
};
use libdeflater::{CompressionLvl, Compressor};
use tempfile::TempDir;

use crate::recipe::Compression;

/// What one gzip member holds, in bytes.
const MEMBER: usize = 1 << 20;
const GZIP_LEVEL: i32 = 1;
const ZSTD_LEVEL: i32 = 3;
/// A larger blob goes to a file, in bytes.
const IN_MEMORY: usize = 8 << 20;

/// A finished layer.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// The digest of the archive before compression.
    pub(crate) diff_id: Digest,
    pub(crate) blob: Blob,
}

impl Compression {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Gzip => OCI_LAYER_GZIP,
            Self::Zstd => OCI_LAYER_ZSTD,
        }
    }

    /// What decides, beside an archive's bytes, about those of the blob.
    pub(crate) fn rules(self) -> String {
        match self {
            Self::Gzip => format!("gzip {GZIP_LEVEL} {MEMBER}"),
            Self::Zstd => format!("zstd {ZSTD_LEVEL} {}", zstd::zstd_safe::version_number()),
        }
    }
}

/// Takes an archive's bytes.
pub(crate) struct LayerWriter {
    diff_id: Digester,
    encoder: Encoder,
    media_type: &'static str,
}

enum Encoder {
    Gzip(Members),
    Zstd(zstd::Encoder<'static, Keeper>),
}

impl LayerWriter {
    /// Large blobs become files in `folder`, named by their digests.
    pub(crate) fn new(compression: Compression, folder: &TempDir) -> io::Result<Self> {
        let keeper = Keeper::new(folder.path().to_owned());
        let encoder = match compression {
            Compression::Gzip => Encoder::Gzip(Members::new(keeper)),
            Compression::Zstd => Encoder::Zstd(zstd_encoder(keeper)?),
        };
        Ok(Self { diff_id: Digester::new(), encoder, media_type: compression.media_type() })
    }

    /// The layer of all bytes taken.
    pub(crate) fn finish(self) -> io::Result<Layer> {
        let keeper = match self.encoder {
            Encoder::Gzip(members) => members.finish()?,
            Encoder::Zstd(encoder) => encoder.finish()?,
        };
        Ok(Layer { diff_id: self.diff_id.finish(), blob: keeper.finish(self.media_type)? })
    }
}

impl Write for LayerWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match &mut self.encoder {
            Encoder::Gzip(members) => members.write(bytes)?,
            Encoder::Zstd(encoder) => encoder.write(bytes)?,
        };
        self.diff_id.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Without worker threads zstd cuts its input differently and gives other bytes, so there is always one.
fn zstd_encoder(keeper: Keeper) -> io::Result<zstd::Encoder<'static, Keeper>> {
    let mut encoder = zstd::Encoder::new(keeper, ZSTD_LEVEL)?;
    encoder.multithread(u32::try_from(processors()).unwrap_or(1))?;
    Ok(encoder)
}

/// Compresses blocks side by side and keeps them in order.
struct Members {
    block: Vec<u8>,
    running: VecDeque<JoinHandle<Vec<u8>>>,
    at_once: usize,
    keeper: Keeper,
}

impl Members {
    fn new(keeper: Keeper) -> Self {
        Self { block: Vec::with_capacity(MEMBER), running: VecDeque::new(), at_once: processors(), keeper }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(MEMBER - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == MEMBER {
            self.compress_block()?;
        }
        Ok(taken)
    }

    fn compress_block(&mut self) -> io::Result<()> {
        if self.running.len() >= self.at_once {
            self.collect_one()?;
        }
        let block = mem::replace(&mut self.block, Vec::with_capacity(MEMBER));
        self.running.push_back(thread::spawn(move || member(&block)));
        Ok(())
    }

    fn collect_one(&mut self) -> io::Result<()> {
        match self.running.pop_front() {
            Some(member) => self.keeper.write_all(&member.join().expect("compressing does not panic")),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> io::Result<Keeper> {
        if !self.block.is_empty() {
            self.compress_block()?;
        }
        while !self.running.is_empty() {
            self.collect_one()?;
        }
        Ok(self.keeper)
    }
}

fn member(block: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(GZIP_LEVEL).expect("1 is a level"));
    let mut out = vec![0; compressor.gzip_compress_bound(block.len())];
    let length = compressor.gzip_compress(block, &mut out).expect("the bound is enough");
    out.truncate(length);
    out
}

/// Keeps a blob in memory while it is small, then in a file.
struct Keeper {
    digester: Digester,
    size: u64,
    memory: Vec<u8>,
    file: Option<(PathBuf, fs::File)>,
    folder: PathBuf,
}

impl Keeper {
    fn new(folder: PathBuf) -> Self {
        Self { digester: Digester::new(), size: 0, memory: Vec::new(), file: None, folder }
    }

    fn finish(self, media_type: &str) -> io::Result<Blob> {
        let digest = self.digester.finish();
        let source = match self.file {
            None => BlobSource::Bytes(self.memory.into()),
            Some((path, mut file)) => {
                file.write_all(&self.memory)?;
                let named = self.folder.join(digest.hex());
                fs::rename(path, &named)?;
                BlobSource::File(named)
            }
        };
        Ok(Blob { descriptor: Descriptor::new(media_type, digest, self.size), source })
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = if let Some((_, file)) = &mut self.file {
            file
        } else {
            let (file, path) = tempfile::NamedTempFile::new_in(&self.folder)?.keep()?;
            &mut self.file.insert((path, file)).1
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }
}

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digester.update(bytes);
        self.size += bytes.len() as u64;
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > IN_MEMORY {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
