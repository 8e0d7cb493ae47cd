//! The ephemeral resource `files_temporary`: a file that is there as long as it is needed.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use tfplugin_rs::{
    Attribute, CloseRequest, Diagnostic, Diagnostics, EphemeralResource, OpenRequest, OpenResponse, Private,
    PrivateError, RenewRequest, RenewResponse, Schema, Type, async_trait,
};

/// How long before it is renewed: cleaners of temporary folders look at the time of the last change.
const FRESH: Duration = Duration::from_secs(1);
/// The key of its path in private data.
const PATH: &str = "path";

pub(crate) struct Temporary;

#[async_trait]
impl EphemeralResource for Temporary {
    fn type_name(&self) -> &'static str {
        "files_temporary"
    }

    fn schema(&self) -> Schema {
        let content = Attribute::required("content", Type::String).sensitive();
        Schema::new()
            .describe("A temporary file that its owner alone can read. It is gone when the run ends.")
            .attribute(content.describe("What it says."))
            .attribute(Attribute::computed("path", Type::String).describe("Where it is."))
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        let content: String = request.config.view().get("content").read()?;
        let path = create(&content).map_err(|error| failed("create", &error))?;
        let mut private = Private::default();
        private.set(PATH, &path).map_err(|error| lost(&error))?;
        let result = request.config.with("path", path.to_string_lossy().into_owned());
        Ok(OpenResponse { result, renew_at: renew_at(), private, ..Default::default() })
    }

    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        let touch = |path| fs::File::options().append(true).open(path)?.set_modified(SystemTime::now());
        touch(path(&request.private)?).map_err(|error| failed("renew", &error))?;
        Ok(RenewResponse { renew_at: renew_at(), private: request.private, ..Default::default() })
    }

    async fn close(&self, request: CloseRequest) -> Diagnostics {
        let removed = path(&request.private)
            .and_then(|path| fs::remove_file(path).map_err(|error| failed("remove", &error)));
        removed.err().unwrap_or_default()
    }
}

fn create(content: &str) -> io::Result<PathBuf> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(content.as_bytes())?;
    Ok(file.keep()?.1)
}

fn renew_at() -> Option<SystemTime> {
    SystemTime::now().checked_add(FRESH)
}

fn path(private: &Private) -> Result<PathBuf, Diagnostics> {
    let path = private.get(PATH).map_err(|error| lost(&error))?;
    path.ok_or_else(|| Diagnostic::error("nothing says where the temporary file is", "").into())
}

fn failed(doing: &str, error: &io::Error) -> Diagnostics {
    Diagnostic::error(format!("cannot {doing} the temporary file"), error.to_string()).into()
}

fn lost(error: &PrivateError) -> Diagnostics {
    Diagnostic::error("cannot keep the temporary file's path", error.to_string()).into()
}
