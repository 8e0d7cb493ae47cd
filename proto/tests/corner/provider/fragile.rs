//! A resource that fails half-way: what exists by then must not be forgotten.

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Diagnostic, Diagnostics, Operation, PlanRequest, PlanResponse,
    ReadRequest, ReadResponse, Resource, Schema, Type, async_trait,
};

use crate::keeper::by_schema;

/// `corner_fragile`: fails, after it did what it had to, in the operation it is told.
pub(crate) struct Fragile;

#[async_trait]
impl Resource for Fragile {
    fn type_name(&self) -> &'static str {
        "corner_fragile"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::required("fails", Type::String).describe("`create`, `update` or `never`."))
            .attribute(Attribute::optional("text", Type::String))
            .attribute(Attribute::computed("id", Type::String).keeps_prior())
            .attribute(Attribute::computed("late", Type::String).describe("Decided last."))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        Ok(by_schema(&Resource::schema(self), &request))
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let (operation, state) = match request.operation() {
            Operation::Create => ("create", request.planned),
            Operation::Update => ("update", request.planned),
            Operation::Destroy => return Ok(ApplyResponse::default()),
        };
        let state = state.with("id", "exists");
        if state.get("fails").as_str() != Some(operation) {
            return Ok(ApplyResponse { state: state.with("late", "done"), ..ApplyResponse::default() });
        }
        let error = Diagnostic::error(format!("The {operation} stopped half-way"), "It was told to.");
        Ok(ApplyResponse { state, diagnostics: error.into(), ..ApplyResponse::default() })
    }
}
