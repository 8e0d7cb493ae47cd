//! The state store `files_folder`: a folder with one file for each workspace.

use tfplugin_rs::{
    Attribute, CancellationToken, ConfigureStoreRequest, Configured, Diagnostic, Diagnostics, LockRequest,
    Schema, StateRequest, StateStore, Type, UnlockRequest, async_trait,
};

use crate::folder::Folder;

const SUFFIX: &str = ".tfstate";

pub(crate) struct Store {
    root: Configured<Folder>,
    states: Configured<Folder>,
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
        let path = Attribute::required("path", Type::String);
        Schema::new()
            .describe("Keeps states in a folder, each in a file of its workspace's name.")
            .attribute(path.describe("The folder, below the provider's `root`."))
    }

    async fn configure(&self, request: ConfigureStoreRequest) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let path = diagnostics.collect(request.config.view().get("path").read::<String>());
        let root = diagnostics.collect(self.root.get());
        let states = root.zip(path).and_then(|(root, path)| diagnostics.collect(root.path(&path)));
        if let Some(states) = states {
            self.states.set(Folder::new(states));
        }
        diagnostics
    }

    async fn states(&self, _: CancellationToken) -> Result<Vec<String>, Diagnostics> {
        let files = self.states.get()?.files(SUFFIX)?;
        Ok(files.iter().filter_map(|file| file.strip_suffix(SUFFIX)).map(str::to_owned).collect())
    }

    async fn read(&self, request: StateRequest) -> Result<Option<Vec<u8>>, Diagnostics> {
        let found = self.states.get()?.find(&file(&request.name))?;
        Ok(found.map(|found| found.content.into_bytes()))
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
        let key = self.states.get()?.lock(&file(&request.name), &request.operation)?;
        Ok(key)
    }

    async fn unlock(&self, request: UnlockRequest) -> Result<(), Diagnostics> {
        self.states.get()?.unlock(&file(&request.name), &request.key)
    }
}

fn file(workspace: &str) -> String {
    format!("{workspace}{SUFFIX}")
}
