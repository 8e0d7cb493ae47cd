//! The data source `files_file`.

use tfplugin_rs::{
    Attribute, Configured, DataSource, Diagnostic, Diagnostics, ReadDataRequest, ReadDataResponse, Schema,
    Type, async_trait,
};

use crate::folder::{Folder, sha256};

pub(crate) struct File(pub(crate) Configured<Folder>);

#[async_trait]
impl DataSource for File {
    fn type_name(&self) -> &'static str {
        "files_file"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("A text file that is there already.")
            .attribute(
                Attribute::required("path", Type::String)
                    .describe("Where it is, below the provider's `root`."),
            )
            .attribute(Attribute::computed("content", Type::String).describe("What it says."))
            .attribute(
                Attribute::computed("mode", Type::String)
                    .describe("Its permissions in octal, such as `0644`."),
            )
            .attribute(
                Attribute::computed("sha256", Type::String).describe("The SHA-256 of its content, in hex."),
            )
            .attribute(
                Attribute::computed("size", Type::Number).describe("How long its content is, in bytes."),
            )
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let path: String = request.config.view().get("path").read()?;
        let found = self.0.get()?.find(&path)?;
        let found =
            found.ok_or_else(|| Diagnostic::error(format!("there is no file `{path}`"), "").at("path"))?;
        let state = (request.config)
            .with("sha256", sha256(&found.content))
            .with("size", found.content.len() as u64)
            .with("content", found.content)
            .with("mode", found.mode);
        Ok(ReadDataResponse { state, ..Default::default() })
    }
}
