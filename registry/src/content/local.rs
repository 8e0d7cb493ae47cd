//! Reading blobs from memory and files, checked.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::{Blob, BlobSource, Descriptor, LocalProblem};
use crate::names::Digester;

/// The bytes of a blob that is here, and not more than it has.
pub(super) fn reader(blob: &Blob) -> Result<Box<dyn Read>, LocalProblem> {
    let Descriptor { digest, size, .. } = blob.descriptor;
    Ok(match &blob.source {
        BlobSource::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
        BlobSource::File(path) => Box::new(File::open(path)?.take(size)),
        BlobSource::Part { file, offset } => {
            let mut file = File::open(file)?;
            file.seek(SeekFrom::Start(*offset))?;
            Box::new(file.take(size))
        }
        BlobSource::Registry(_) => return Err(LocalProblem::NotLocal(digest)),
    })
}

/// Copies a blob; an error if it is not what its descriptor says.
pub(super) fn copy_checked(
    from: &mut impl Read,
    to: &mut impl Write,
    expected: &Descriptor,
) -> Result<(), LocalProblem> {
    let mut checked = Checked { to, digester: Digester::new() };
    let actual = io::copy(from, &mut checked)?;
    if actual != expected.size {
        let name = expected.digest.to_string();
        return Err(LocalProblem::Size { name, expected: expected.size, actual });
    }
    let actual = checked.digester.finish();
    if actual != expected.digest {
        let name = expected.digest.to_string();
        return Err(LocalProblem::Digest { name, expected: expected.digest, actual });
    }
    Ok(())
}

/// Checks a blob that is in a file of its own.
pub(crate) fn hash_file(path: &Path, expected: &Descriptor) -> Result<(), LocalProblem> {
    copy_checked(&mut File::open(path)?.take(expected.size), &mut io::sink(), expected)
}

/// Digests what is written.
pub(super) struct Checked<'a, W> {
    pub(super) to: &'a mut W,
    pub(super) digester: Digester,
}

impl<W: Write> Write for Checked<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digester.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
