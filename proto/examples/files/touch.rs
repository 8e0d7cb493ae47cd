//! The action `files_touch`.

use tfplugin_rs::{Action, Configured, Diagnostics, InvokeRequest, Object, Progress, Schema, async_trait};

use crate::folder::Folder;

pub(crate) struct Touch(pub(crate) Configured<Folder>);

/// Sets the time of the last change of files to now.
#[derive(Object)]
struct Files {
    /// Which files, below the provider's `root`.
    paths: Vec<String>,
}

#[async_trait]
impl Action for Touch {
    fn type_name(&self) -> &'static str {
        "files_touch"
    }

    fn schema(&self) -> Schema {
        Schema::of::<Files>()
    }

    async fn invoke(&self, request: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        let files: Files = request.config.view().read()?;
        let folder = self.0.get()?;
        for path in files.paths {
            folder.touch(&path)?;
            progress.say(format!("touched `{path}`"));
        }
        Ok(())
    }
}
