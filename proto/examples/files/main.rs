//! A provider for local files that has every kind of object there is: the example to start from.
//!
//! One file for each kind; [`folder`] alone touches the disk.

mod data;
mod file;
mod fingerprint;
mod folder;
mod join;
mod list;
mod managed;
mod predecessor;
mod store;
mod temporary;
mod touch;

use std::{process::ExitCode, sync::Arc};

use tfplugin_rs::{
    Action, ConfigureRequest, Configured, DataSource, Diagnostics, EphemeralResource, Field, Function,
    ListResource, Object, Provider, Resource, Schema, StateStore, Typed, async_trait,
};

use folder::Folder;

#[tokio::main]
async fn main() -> ExitCode {
    tfplugin_rs::serve(Files::default(), "example.com/tfplugin/files").await
}

#[derive(Default)]
struct Files {
    folder: Configured<Folder>,
}

/// Manages files below one folder of this machine.
#[derive(Object)]
struct Place {
    /// The folder. It is created with the first file.
    #[object(required)]
    root: Field<String>,
}

#[async_trait]
impl Provider for Files {
    fn schema(&self) -> Schema {
        Schema::of::<Place>()
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(Typed(managed::Files(self.folder.clone())))]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(Typed(data::Files(self.folder.clone())))]
    }

    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(fingerprint::Fingerprint), Arc::new(join::Join)]
    }

    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        vec![Arc::new(temporary::Temporary::default())]
    }

    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        vec![Arc::new(list::Files(self.folder.clone()))]
    }

    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(touch::Touch(self.folder.clone()))]
    }

    fn state_stores(&self) -> Vec<Arc<dyn StateStore>> {
        vec![Arc::new(store::Store::new(self.folder.clone()))]
    }

    /// The folder may be known only after another resource is made: whoever needs it before waits.
    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let place = diagnostics.collect(request.config.view().read::<Place>());
        if let Some(root) = place.and_then(|place| place.root.known()) {
            self.folder.set(Folder::new(root));
        }
        diagnostics
    }
}
