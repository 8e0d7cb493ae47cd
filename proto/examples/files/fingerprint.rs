//! The function `fingerprint`: what `files_file` computes, without a file.

use tfplugin_rs::{CallRequest, Function, FunctionError, Parameter, Signature, Type, Value, async_trait};

use crate::folder::sha256;

pub(crate) struct Fingerprint;

#[async_trait]
impl Function for Fingerprint {
    fn name(&self) -> &'static str {
        "fingerprint"
    }

    fn signature(&self) -> Signature {
        Signature::new(Type::object([("sha256", Type::String), ("size", Type::Number)]))
            .summary("What a file of this content has as `sha256` and `size`.")
            .describe("Gives the SHA-256 of a content in hex, and its length in bytes.")
            .parameter(Parameter::new("content", Type::String).describe("The content."))
    }

    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        let content: String = request.read(0)?;
        let size = content.len() as u64;
        Ok(Value::object([("sha256", sha256(&content).into()), ("size", size.into())]))
    }
}
