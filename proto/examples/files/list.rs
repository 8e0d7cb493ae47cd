//! The list resource `files_file`: finds the files that are there.

use tfplugin_rs::{
    Configured, Diagnostics, Found, ListEvent, ListRequest, ListResource, Object, Schema, Value, async_trait,
};

use crate::file::{File, TYPE_NAME};
use crate::folder::Folder;

pub(crate) struct Files(pub(crate) Configured<Folder>);

/// Finds the text files below the provider's `root`.
#[derive(Object)]
struct Search {
    /// What their paths end with, such as `.html`. All files without.
    suffix: Option<String>,
}

#[async_trait]
impl ListResource for Files {
    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema::of::<Search>()
    }

    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics> {
        let search: Search = request.config.view().read()?;
        let folder = self.0.get()?;
        for path in folder.files(&search.suffix.unwrap_or_default())? {
            let identity = Value::object([("path", path.as_str().into())]);
            let there = if request.include_resource { folder.find(&path)? } else { None };
            let resource = there.map(|there| File::found(path.clone(), None, there).into());
            found.send(ListEvent { identity, display_name: path, resource, ..Default::default() }).await?;
        }
        Ok(())
    }
}
