//! The state store `files_folder`: a folder with one file for each workspace.

use tfplugin_rs::{
    CancellationToken, ConfigureStoreRequest, Configured, Diagnostic, Diagnostics, LockRequest, Object,
    Schema, StateRequest, StateStore, UnlockRequest, async_trait,
};

use crate::folder::Folder;

const SUFFIX: &str = ".tfstate";

pub(crate) struct Store {
    root: Configured<Folder>,
    states: Configured<Folder>,
}

/// Keeps states in a folder, each in a file of its workspace's name.
#[derive(Object)]
struct Place {
    /// The folder, below the provider's `root`.
    path: String,
}

impl Store {
    pub(crate) fn new(root: Configured<Folder>) -> Self {
        Self { root, states: Configured::new() }
    }
}

#[async_trait]
impl StateStore for Store {
    fn type_name(&self) -> &'static str {
        "files_folder"
    }

    fn schema(&self) -> Schema {
        Schema::of::<Place>()
    }

    async fn configure(&self, request: ConfigureStoreRequest) -> Diagnostics {
        let place = || {
            let place: Place = request.config.view().read()?;
            self.states.set(Folder::new(self.root.get()?.path(&place.path)?));
            Ok(())
        };
        place().err().unwrap_or_default()
    }

    async fn states(&self, _: CancellationToken) -> Result<Vec<String>, Diagnostics> {
        let files = self.states.get()?.files(SUFFIX)?;
        Ok(files.iter().filter_map(|file| file.strip_suffix(SUFFIX)).map(str::to_owned).collect())
    }

    async fn read(&self, request: StateRequest) -> Result<Option<Vec<u8>>, Diagnostics> {
        let found = self.states.get()?.find(&file(&request.name))?;
        Ok(found.and_then(|found| found.content).map(String::into_bytes))
    }

    async fn write(&self, request: StateRequest, state: Vec<u8>) -> Result<(), Diagnostics> {
        let state = String::from_utf8(state);
        let state = state.map_err(|error| Diagnostic::error("the state is no text", error.to_string()))?;
        self.states.get()?.write(&file(&request.name), &state, "0600")
    }

    async fn delete(&self, request: StateRequest) -> Result<(), Diagnostics> {
        self.states.get()?.remove(&file(&request.name))
    }

    async fn lock(&self, request: LockRequest) -> Result<String, Diagnostics> {
        self.states.get()?.lock(&file(&request.name), &request.operation)
    }

    async fn unlock(&self, request: UnlockRequest) -> Result<(), Diagnostics> {
        self.states.get()?.unlock(&file(&request.name), &request.key)
    }
}

fn file(workspace: &str) -> String {
    format!("{workspace}{SUFFIX}")
}
