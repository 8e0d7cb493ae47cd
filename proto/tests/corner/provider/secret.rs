//! Write-only arguments at every depth.

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Block, Diagnostics, ImportRequest, ImportResponse, NestedBlock,
    PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource, Schema, Shape, Type, UpgradeRequest,
    Value, async_trait,
};

use crate::keeper::Keeper;

/// `corner_secret`: tells in `received` what reached it, which no provider for the world would do.
pub(crate) fn resource() -> Keeper {
    let secret = |name, shape: Shape| Attribute::optional(name, shape).write_only();
    let text = || Attribute::required("text", Type::String);
    let inner = Block::new()
        .attribute(Attribute::required("flag", Type::Bool))
        .attribute(secret("flag_wo", Type::Bool.into()));
    let block = Block::new()
        .attribute(text())
        .attribute(secret("text_wo", Type::String.into()))
        .block(NestedBlock::single("inner", inner));
    let schema = Schema::new()
        .attribute(Attribute::computed("received", Type::list(Type::String)))
        .attribute(Attribute::optional("text", Type::String))
        .attribute(secret("any_wo", Type::Dynamic.into()))
        .attribute(secret("list_wo", Type::list(Type::String).into()))
        .attribute(secret("number_wo", Type::Number.into()))
        .attribute(secret(
            "object_wo",
            Shape::single([
                secret("list", Shape::list([secret("text", Type::String.into())])),
                secret("number", Type::Number.into()),
            ]),
        ))
        .attribute(secret("text_wo", Type::String.into()))
        .attribute(Attribute::optional("map", Shape::map([text(), secret("number_wo", Type::Number.into())])))
        .block(NestedBlock::list("block", block));
    Keeper::new("corner_secret", schema).imported_as("text").deciding(|request, _| Ok(received(request)))
}

/// Every known leaf of the configuration below a write-only attribute, with its path.
fn received(request: &ApplyRequest) -> Value {
    let mut leaves = Vec::new();
    request.config.walk(&mut |path, value| {
        let path = path.to_string();
        let leaf = match value {
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return,
        };
        if path.contains("_wo") {
            leaves.push(format!("{path}={leaf}").into());
        }
    });
    Value::list(leaves)
}

/// `corner_leaky`: hands its write-only argument back in every answer. The library must stop that.
pub(crate) struct Leaky;

const LEAK: &str = "a secret that must not be kept";

#[async_trait]
impl Resource for Leaky {
    fn type_name(&self) -> &'static str {
        "corner_leaky"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::optional("text", Type::String))
            .attribute(Attribute::optional("text_wo", Type::String).write_only())
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Value, Diagnostics> {
        Ok(self.schema().decode_state(&request.state)?.with("text_wo", LEAK))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let state = request.state.clone().with("text_wo", LEAK);
        Ok(ReadResponse { state, ..request.unchanged() })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        Ok(PlanResponse { planned: request.proposed.with("text_wo", LEAK), ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        Ok(ApplyResponse { state: request.planned.with("text_wo", LEAK), ..ApplyResponse::default() })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let state = Value::object([("text", request.id.into()), ("text_wo", LEAK.into())]);
        Ok(ImportResponse { state, ..ImportResponse::default() })
    }
}
