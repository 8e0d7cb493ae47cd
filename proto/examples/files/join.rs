//! The function `join`: a path made of its parts.

use tfplugin_rs::{CallRequest, Function, FunctionError, Parameter, Signature, Type, Value, async_trait};

use crate::folder::fault;

pub(crate) struct Join;

#[async_trait]
impl Function for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn signature(&self) -> Signature {
        Signature::new(Type::String)
            .summary("A path that `files_file` takes.")
            .describe("Joins the parts of a path, and refuses what would lead out of the provider's `root`.")
            .variadic(
                Parameter::new("parts", Type::String).describe("Names of folders, then that of the file."),
            )
    }

    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        let parts: Vec<String> = request.read_from(0)?;
        for (position, part) in parts.iter().enumerate() {
            if let Some(fault) = fault(part) {
                return Err(
                    FunctionError::new(format!("`{part}` cannot be part of a path. {fault}")).at(position)
                );
            }
        }
        Ok(parts.join("/").into())
    }
}
