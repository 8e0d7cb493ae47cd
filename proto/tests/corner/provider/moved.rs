//! A resource that takes over the state of others.

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Diagnostics, IdentitySchema, MoveRequest, MoveResponse,
    Operation, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource, Schema, Type, Value,
    async_trait,
};

/// `corner_moved`: was a `terraform_data` or a `corner_person` before.
pub(crate) struct Moved;

#[async_trait]
impl Resource for Moved {
    fn type_name(&self) -> &'static str {
        "corner_moved"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::optional("text", Type::String))
            .attribute(Attribute::optional("text_wo", Type::String).write_only())
            .attribute(Attribute::computed("origin", Type::String).describe("Where it came from."))
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new().required("id", Type::String, "What the service calls it."))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let PlanRequest { prior, mut proposed, prior_identity, .. } = request;
        if prior.is_null() && !proposed.is_null() {
            proposed.set("origin", "here");
        }
        Ok(PlanResponse { planned: proposed, identity: prior_identity, ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        if request.operation() == Operation::Destroy {
            return Ok(ApplyResponse::default());
        }
        let identity = request.identity.or_else(|| Some(identity("new")));
        Ok(ApplyResponse { state: request.planned, identity, ..ApplyResponse::default() })
    }

    fn moves_from(&self) -> bool {
        true
    }

    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        let text = |json: &serde_json::Value| Value::from(json.as_str().map(str::to_owned));
        let (taken, id) = match request.source_type.as_str() {
            // Of a dynamic attribute, the state holds the type as well.
            "terraform_data" => (text(&request.state["input"]["value"]), "moved"),
            "corner_person" => {
                let identity = request.identity.clone().unwrap_or_default();
                (text(&identity["name"]), "moved with its identity")
            }
            _ => return Err(request.refused("corner_moved").into()),
        };
        let origin = format!("{} of {}", request.source_type, request.source_provider);
        let state =
            Value::object([("text", taken), ("origin", origin.into()), ("text_wo", "must not stay".into())]);
        Ok(MoveResponse { state, identity: Some(identity(id)), ..MoveResponse::default() })
    }
}

fn identity(id: &str) -> Value {
    Value::object([("id", id.into())])
}
