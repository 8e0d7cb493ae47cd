//! The list resource `files_file`: finds the files that are there.

use tfplugin_rs::{
    Attribute, Configured, Diagnostics, Found, ListEvent, ListRequest, ListResource, Schema, Type, Value,
    async_trait,
};

use crate::file;
use crate::folder::Folder;

pub(crate) struct Files(pub(crate) Configured<Folder>);

#[async_trait]
impl ListResource for Files {
    fn type_name(&self) -> &'static str {
        file::TYPE_NAME
    }

    fn schema(&self) -> Schema {
        let suffix = Attribute::optional("suffix", Type::String);
        Schema::new()
            .describe("Finds the text files below the provider's `root`.")
            .attribute(suffix.describe("What their paths end with, such as `.html`. All files without."))
    }

    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics> {
        let suffix: Option<String> = request.config.view().get("suffix").read()?;
        let folder = self.0.get()?;
        for path in folder.files(&suffix.unwrap_or_default())? {
            let identity = Value::object([("path", path.as_str().into())]);
            let wanted = if request.include_resource { folder.find(&path)? } else { None };
            let resource = wanted.map(|found| file::state(&path, found));
            found.send(ListEvent { identity, display_name: path, resource, ..Default::default() }).await?;
        }
        Ok(())
    }
}
