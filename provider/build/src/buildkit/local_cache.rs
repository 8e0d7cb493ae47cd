//! Results of steps in a folder of this machine, in the OCI image layout: the builder reads what is there and writes what
//! is new, both through the session.

use std::{
    fs, io,
    path::Path,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use ecr_registry::{
    Blob, BlobSource, Descriptor, Digest, Layout, LocalError, Wanted, content::media_type::OCI_MANIFEST,
    names::Digester,
};
use tempfile::NamedTempFile;
use tokio::{io::AsyncWriteExt, sync::mpsc};
use tonic::{Status, Streaming};

use super::containerd::{WriteAction, WriteContentRequest, WriteContentResponse};

/// What no name leads to any more stays for so long: another build may be about to name it.
const UNNAMED: Duration = Duration::from_hours(24);

/// A folder, and the name in it of what one build keeps.
pub(super) struct LocalCache {
    layout: Layout,
    name: String,
    /// What the builder wrote last, or found to be there: in the end, the manifest.
    last: Mutex<Option<Digest>>,
}

pub(super) type Answers = mpsc::Sender<Result<WriteContentResponse, Status>>;

impl LocalCache {
    /// The cache in this folder, which is made if there is none.
    pub(super) fn open(folder: &Path, name: String) -> Result<Self, LocalError> {
        Ok(Self { layout: Layout::create(folder)?, name, last: Mutex::default() })
    }

    /// The manifest of what was kept the last time.
    pub(super) fn kept(&self) -> Option<Digest> {
        let kept = self.layout.find(Some(&self.name)).ok()?;
        self.layout.has(kept).then_some(kept.digest)
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<Blob> {
        let path = self.layout.blob_path(digest);
        let size = fs::metadata(&path).ok()?.len();
        let descriptor = Descriptor::new(OCI_MANIFEST, *digest, size);
        Some(Blob { descriptor, source: BlobSource::File(path) })
    }

    /// Takes what the builder writes.
    pub(super) async fn take(
        &self,
        mut requests: Streaming<WriteContentRequest>,
        answers: &Answers,
    ) -> Result<(), Status> {
        let failed = |error: io::Error| Status::unavailable(error.to_string());
        let mut part = Part::new(self.layout.blob_path(&Digest::of(b"")).parent()).map_err(failed)?;
        let mut expected = None;
        while let Some(request) = requests.message().await? {
            expected = request.expected.parse::<Digest>().ok().or(expected);
            if let Some(digest) = expected
                && self.is_there(&digest)
            {
                return Err(Status::already_exists(format!("{digest} is there")));
            }
            if !request.data.is_empty() {
                part.add(request.offset, &request.data).await?;
            }
            let mut answer = part.answer(&request);
            if request.action == i32::from(WriteAction::Commit) {
                let digest = part.finish(expected, &self.layout).await?;
                self.wrote(digest);
                answer.digest = digest.to_string();
            }
            let is_done = !answer.digest.is_empty();
            if answers.send(Ok(answer)).await.is_err() || is_done {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether there is such a blob. If so, it is of use again.
    fn is_there(&self, digest: &Digest) -> bool {
        let Ok(file) = fs::File::open(self.layout.blob_path(digest)) else { return false };
        _ = file.set_modified(SystemTime::now()); // without it, the blob only goes earlier
        self.wrote(*digest);
        true
    }

    fn wrote(&self, digest: Digest) {
        if let Ok(mut last) = self.last.lock() {
            *last = Some(digest);
        }
    }

    /// Names what was written, and removes what nothing names any more. A builder may write nothing.
    pub(super) fn keep(&self) -> Result<(), LocalError> {
        let last = self.last.lock().ok().and_then(|last| *last);
        let Some(manifest) = last.and_then(|last| self.find(&last)) else { return Ok(()) };
        let mut layout = self.layout.clone();
        let tree = layout.tree(&manifest.descriptor, &Wanted::All)?;
        layout.add(&tree, Some(&self.name))?;
        layout.remove_unnamed(UNNAMED)
    }
}

/// A blob on its way in.
struct Part {
    name: NamedTempFile,
    file: tokio::fs::File,
    digester: Digester,
    size: u64,
}

impl Part {
    fn new(folder: Option<&Path>) -> io::Result<Self> {
        let name = NamedTempFile::with_prefix_in(".incoming-", folder.unwrap_or(Path::new(".")))?;
        let file = tokio::fs::File::from_std(name.reopen()?);
        Ok(Self { name, file, digester: Digester::new(), size: 0 })
    }

    async fn add(&mut self, offset: i64, data: &[u8]) -> Result<(), Status> {
        if u64::try_from(offset) != Ok(self.size) {
            return Err(Status::out_of_range(format!("byte {offset} comes after {}", self.size)));
        }
        self.file.write_all(data).await.map_err(|error| Status::unavailable(error.to_string()))?;
        self.digester.update(data);
        self.size += data.len() as u64;
        Ok(())
    }

    fn answer(&self, to: &WriteContentRequest) -> WriteContentResponse {
        let offset = i64::try_from(self.size).unwrap_or(i64::MAX);
        WriteContentResponse { action: to.action, offset, total: to.total, ..WriteContentResponse::default() }
    }

    async fn finish(&mut self, expected: Option<Digest>, layout: &Layout) -> Result<Digest, Status> {
        let digest = self.digester.clone().finish();
        if expected.is_some_and(|expected| expected != digest) {
            return Err(Status::failed_precondition(format!("what came has digest {digest}")));
        }
        let kept = async {
            self.file.flush().await?;
            fs::rename(self.name.path(), layout.blob_path(&digest))
        };
        kept.await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(digest)
    }
}
