//! Where what is ephemeral can be seen: a test's mirror, and no example for anything else.

use std::time::Duration;

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Diagnostics, Operation, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Resource, Schema, Type, async_trait,
};

use crate::keeper::by_schema;

/// `corner_echo`: repeats its write-only argument, and can take its time for that.
pub(crate) struct Echo;

#[async_trait]
impl Resource for Echo {
    fn type_name(&self) -> &'static str {
        "corner_echo"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::optional("value_wo", Type::Dynamic).write_only())
            .attribute(Attribute::optional("milliseconds", Type::Number))
            .attribute(Attribute::computed("value", Type::Dynamic))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        Ok(by_schema(&self.schema(), &request))
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        if request.operation() == Operation::Destroy {
            return Ok(ApplyResponse::default());
        }
        let wanted: Option<u64> = request.planned.view().get("milliseconds").read()?;
        tokio::time::sleep(Duration::from_millis(wanted.unwrap_or(0))).await;
        let state = request.planned.with("value", request.config.get("value_wo").clone());
        Ok(ApplyResponse { state, ..ApplyResponse::default() })
    }
}
