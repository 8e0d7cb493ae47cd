//! Uploads in progress, with ECR's rules for their parts.
//!
//! Parts come one after the other, all but the last with 5 MiB or more, and what `Range` says about them is of no use.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use super::refusal::Refusal;
use super::store::blob::{Blob, Keep, Writer};
use crate::ecr::Scope;

/// What a part that is not the last must have.
const LEAST: u64 = 5 << 20;
/// The parts that the registry makes of a body.
pub(super) const PART: u64 = 10 << 20;

/// One upload.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) scope: Scope,
    pub(super) repository: String,
    parts: Vec<u64>,
    writer: Writer,
}

pub(super) type Handle = Arc<AsyncMutex<Upload>>;

/// All uploads, by id.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<HashMap<String, Handle>>);

impl Uploads {
    pub(super) fn begin(&self, id: &str, upload: Upload) {
        let upload = Arc::new(AsyncMutex::new(upload));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), upload);
    }

    pub(super) fn get(&self, id: &str) -> Result<Handle, Refusal> {
        let uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.get(id).cloned().ok_or_else(|| Refusal::no_upload(id))
    }

    pub(super) fn end(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Upload {
    pub(super) fn new(scope: Scope, repository: &str, keep: Keep, folder: &Path) -> std::io::Result<Self> {
        let writer = Writer::new(keep, folder)?;
        Ok(Self { scope, repository: repository.to_owned(), parts: Vec::new(), writer })
    }

    /// Whether a part may begin at this byte.
    pub(super) fn follows(&self, first: Option<u64>) -> Result<(), Refusal> {
        match first {
            Some(first) if first != self.writer.size() => Err(Refusal::layer_part(first, self.writer.size())),
            _ => Ok(()),
        }
    }

    /// Begins a part, which [`Upload::write`] fills.
    pub(super) fn part(&mut self) {
        self.parts.push(0);
    }

    pub(super) fn write(&mut self, data: &[u8]) -> std::io::Result<()> {
        if let Some(part) = self.parts.last_mut() {
            *part += data.len() as u64;
        }
        self.writer.write(data)
    }

    pub(super) fn size(&self) -> u64 {
        self.writer.size()
    }

    /// The `Range` of an answer: it stays at the end of the first part, whatever was stored after it.
    pub(super) fn range(&self) -> String {
        let first = self.parts.first().map_or(0, |part| (*part).min(PART));
        format!("0-{}", first.saturating_sub(1))
    }

    /// The blob, if its parts are as they must be and its digest is that one.
    pub(super) fn finish(mut self, digest: &str) -> Result<Blob, Refusal> {
        self.parts.retain(|part| *part > 0);
        if let Some((_, others)) = self.parts.split_last()
            && others.iter().any(|part| *part < LEAST)
        {
            return Err(Refusal::small_part());
        }
        self.writer.finish(digest).ok_or_else(Refusal::layer_digest)
    }
}
