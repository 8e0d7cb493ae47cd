//! The action `files_touch`.

use tfplugin_rs::{
    Action, Attribute, Configured, Diagnostics, InvokeRequest, Progress, Schema, Type, async_trait,
};

use crate::folder::Folder;

pub(crate) struct Touch(pub(crate) Configured<Folder>);

#[async_trait]
impl Action for Touch {
    fn type_name(&self) -> &'static str {
        "files_touch"
    }

    fn schema(&self) -> Schema {
        let paths = Attribute::required("paths", Type::list(Type::String));
        Schema::new()
            .describe("Sets the time of the last change of files to now.")
            .attribute(paths.describe("Which files, below the provider's `root`."))
    }

    async fn invoke(&self, request: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        let paths: Vec<String> = request.config.view().get("paths").read()?;
        let folder = self.0.get()?;
        for path in paths {
            folder.touch(&path)?;
            progress.say(format!("touched `{path}`"));
        }
        Ok(())
    }
}
