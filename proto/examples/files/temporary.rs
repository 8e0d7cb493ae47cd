//! The ephemeral resource `files_temporary`: a file that is there as long as it is needed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use tempfile::TempPath;
use tfplugin_rs::{
    CloseRequest, Diagnostic, Diagnostics, EphemeralResource, Field, Object, OpenRequest, OpenResponse,
    Private, RenewRequest, RenewResponse, Schema, Sensitive, async_trait,
};

/// How often it is renewed: whoever cleans temporary folders looks at the time of the last change.
const FRESH: Duration = Duration::from_secs(1);
/// The key of its path in private data.
const PATH: &str = "path";

/// Those that are open. Terraform closes none when it is interrupted: what is left here goes with the process.
#[derive(Default)]
pub(crate) struct Temporary(Mutex<BTreeMap<PathBuf, TempPath>>);

/// A temporary file that its owner alone can read. It is gone when the run ends.
#[derive(Object)]
struct File {
    /// What it says.
    content: Sensitive<String>,
    /// Where it is.
    path: Field<String>,
}

#[async_trait]
impl EphemeralResource for Temporary {
    fn type_name(&self) -> &'static str {
        "files_temporary"
    }

    fn schema(&self) -> Schema {
        Schema::of::<File>()
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        let file: File = request.config.view().read()?;
        let opened = create(file.content.expose()).map_err(|error| failed("create", &error))?;
        let path = opened.to_path_buf();
        let mut private = Private::default();
        private.set(PATH, &path)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), opened);
        let result = File { path: path.to_string_lossy().into_owned().into(), ..file }.into();
        Ok(OpenResponse { result, renew_at: renew_at(), private, ..Default::default() })
    }

    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        let touch = |path| fs::File::options().append(true).open(path)?.set_modified(SystemTime::now());
        touch(path(&request.private)?).map_err(|error| failed("renew", &error))?;
        Ok(RenewResponse { renew_at: renew_at(), private: request.private, ..Default::default() })
    }

    async fn close(&self, request: CloseRequest) -> Diagnostics {
        let remove = |path| {
            let opened = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
            opened.map_or(Ok(()), TempPath::close).map_err(|error| failed("remove", &error))
        };
        path(&request.private).and_then(remove).err().unwrap_or_default()
    }
}

fn create(content: &str) -> io::Result<TempPath> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(content.as_bytes())?;
    Ok(file.into_temp_path())
}

fn renew_at() -> Option<SystemTime> {
    SystemTime::now().checked_add(FRESH)
}

fn path(private: &Private) -> Result<PathBuf, Diagnostics> {
    let path = private.get(PATH)?;
    path.ok_or_else(|| Diagnostic::error("nothing says where the temporary file is", "").into())
}

fn failed(doing: &str, error: &io::Error) -> Diagnostics {
    Diagnostic::error(format!("cannot {doing} the temporary file"), error.to_string()).into()
}
