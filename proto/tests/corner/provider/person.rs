//! A resource with an identity, the search for it, and what becomes of it when it is moved elsewhere.

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Diagnostic, Diagnostics, Found, IdentitySchema, ImportRequest,
    ImportResponse, ListEvent, ListRequest, ListResource, Operation, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Resource, Schema, Type, Value, async_trait,
};

use crate::keeper::by_schema;

/// `corner_person`: identified by id and name for ever. `jerry` comes back as somebody else.
pub(crate) struct Person;

const ID: &str = "id-123";

fn identity(name: &str) -> Value {
    Value::object([("id", ID.into()), ("name", name.into())])
}

#[async_trait]
impl Resource for Person {
    fn type_name(&self) -> &'static str {
        "corner_person"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::required("name", Type::String).requires_replace())
            .attribute(Attribute::optional("mood", Type::String))
            .attribute(Attribute::computed("id", Type::String).keeps_prior())
    }

    fn identity(&self) -> Option<IdentitySchema> {
        let schema = IdentitySchema::new()
            .required("id", Type::String, "What the service calls it.")
            .optional("name", Type::String, "What people call it.");
        Some(schema)
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let response = request.unchanged();
        match response.state.get("name").as_str() {
            Some("jerry") => Ok(ReadResponse { identity: Some(identity("tom")), ..response }),
            _ => Ok(response),
        }
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let mut response = by_schema(&Resource::schema(self), &request);
        if response.planned.get("id").is_unknown() {
            response.planned.set("id", ID);
        }
        response.identity = match response.planned.get("name").as_str() {
            Some(name) if request.prior.is_null() => Some(identity(name)),
            _ => request.prior_identity,
        };
        Ok(response)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        if request.operation() == Operation::Destroy {
            return Ok(ApplyResponse::default());
        }
        let name: String = request.planned.view().get("name").read()?;
        let identity = Some(identity(&name));
        Ok(ApplyResponse { state: request.planned, identity, ..ApplyResponse::default() })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let named = request.identity.as_ref().and_then(|identity| identity.get("name").as_str());
        let Some(name) = named.or(request.id.as_deref()) else {
            return Err(Diagnostic::error("A person is imported by name", "").into());
        };
        let state = Value::object([("name", name.into()), ("id", ID.into())]);
        Ok(ImportResponse { state, identity: Some(identity(name)), ..ImportResponse::default() })
    }
}

#[async_trait]
impl ListResource for Person {
    fn type_name(&self) -> &'static str {
        "corner_person"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::optional("prefix", Type::String).describe("How their names begin."))
    }

    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics> {
        let prefix: Option<String> = request.config.view().get("prefix").read()?;
        let prefix = prefix.unwrap_or_default();
        if prefix == "nobody" {
            return Err(Diagnostic::error("Nobody may look for nobody", "").at("prefix").into());
        }
        for name in ["tim", "tom", "zoe"].into_iter().filter(|name| name.starts_with(&prefix)) {
            let resource = Value::object([("name", name.into()), ("id", ID.into())]);
            found
                .send(ListEvent {
                    identity: identity(name),
                    display_name: format!("Person {name}"),
                    resource: request.include_resource.then_some(resource),
                    diagnostics: Diagnostics::new(),
                })
                .await?;
        }
        Ok(())
    }
}
