//! The data source `files_file`.

use tfplugin_rs::{Call, Configured, Diagnostic, Diagnostics, Field, Object, TypedDataSource, async_trait};

use crate::folder::{Folder, sha256};

pub(crate) struct Files(pub(crate) Configured<Folder>);

/// A text file that is there already.
#[derive(Object)]
pub(crate) struct File {
    /// Where it is, below the provider's `root`.
    path: String,
    /// What it says.
    content: Field<String>,
    /// Its permissions in octal.
    mode: Field<String>,
    /// The SHA-256 of its content, in hex.
    sha256: Field<String>,
    /// The length of its content, in bytes.
    size: Field<u64>,
}

#[async_trait]
impl TypedDataSource for Files {
    type Model = File;

    fn type_name(&self) -> &'static str {
        "files_file"
    }

    async fn read(&self, file: File, _: &mut Call) -> Result<File, Diagnostics> {
        let found = self.0.get()?.find(&file.path)?;
        let missing = || Diagnostic::error(format!("there is no file `{}`", file.path), "").at("path");
        let found = found.ok_or_else(missing)?;
        let content = found.content.unwrap_or_default();
        let (sha256, size) = (sha256(&content).into(), (content.len() as u64).into());
        Ok(File { content: content.into(), mode: found.mode.into(), sha256, size, ..file })
    }
}
