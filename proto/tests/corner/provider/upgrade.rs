//! State that an older version of the provider wrote.

use serde_json::json;
use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Diagnostics, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Resource, Schema, Type, UpgradeRequest, Value, async_trait,
};

/// `corner_upgrade`: in the first round of a test `count` is text, as it was in the old days; from the
/// second round on it is a number.
pub(crate) struct Upgraded;

fn is_old() -> bool {
    std::env::var("CORNER_ROUND").is_ok_and(|round| round == "1")
}

#[async_trait]
impl Resource for Upgraded {
    fn type_name(&self) -> &'static str {
        "corner_upgrade"
    }

    fn schema(&self) -> Schema {
        let (version, kind) = if is_old() { (0, Type::String) } else { (1, Type::Number) };
        Schema::new()
            .version(version)
            .attribute(Attribute::required("count_of", kind))
            .attribute(Attribute::optional("text_wo", Type::String).write_only())
    }

    async fn upgrade(&self, mut request: UpgradeRequest) -> Result<Value, Diagnostics> {
        if request.version == 0 && !is_old() {
            let count = request.state["count_of"].as_str().and_then(|text| text.parse::<i64>().ok());
            request.state = json!({ "count_of": count, "text_wo": "must not stay", "old": true });
        }
        Ok(self.schema().decode_state(&request.state)?)
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        Ok(PlanResponse { planned: request.proposed, ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        Ok(ApplyResponse { state: request.planned, ..ApplyResponse::default() })
    }
}
