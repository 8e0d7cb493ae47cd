//! A provider of one thing of every kind, all with the same name and schema, that follows the rules.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    Action, ApplyRequest, ApplyResponse, Attribute, Block, CallRequest, ConfigureRequest,
    ConfigureStoreRequest, DataSource, Diagnostics, EphemeralResource, Found, Function, FunctionError,
    IdentitySchema, ImportRequest, ImportResponse, InvokeRequest, ListEvent, ListRequest, ListResource,
    MoveRequest, MoveResponse, NestedBlock, OpenRequest, OpenResponse, Parameter, PlanRequest, PlanResponse,
    Progress, Provider, ReadDataRequest, ReadDataResponse, ReadRequest, ReadResponse, RenewRequest,
    RenewResponse, Resource, Schema, Shape, Signature, StateRequest, StateStore, Type, Value,
};

/// The name of everything.
pub(super) const NAME: &str = "any_thing";

pub(super) struct Thing;

pub(super) fn schema() -> Schema {
    let inner = || [Attribute::required("key", Type::String), Attribute::computed("size", Type::Number)];
    let block = || inner().into_iter().fold(Block::new(), Block::attribute);
    let partial = Type::object([("a", Type::optional(Type::String))]);
    Schema::new()
        .version(1)
        .attribute(Attribute::required("name", Type::String).requires_replace())
        .attribute(Attribute::optional("size", Type::Number).default(1_i64))
        .attribute(Attribute::optional("any", Type::Dynamic))
        .attribute(Attribute::optional("tags", Type::set(Type::String)))
        .attribute(Attribute::optional("pair", Type::Tuple(vec![Type::Bool, Type::map(Type::Number)])))
        .attribute(Attribute::optional("partial", partial))
        .attribute(Attribute::optional("secret", Type::String).sensitive().write_only())
        .attribute(Attribute::optional("one", Shape::single(inner())))
        .attribute(Attribute::optional("many", Shape::list(inner())))
        .attribute(Attribute::optional("unsorted", Shape::set(inner())))
        .attribute(Attribute::optional_computed("named", Shape::map(inner())))
        .attribute(Attribute::computed("id", Type::String).depends_on(["name"]))
        .block(NestedBlock::single("single", block()))
        .block(NestedBlock::group("group", block()))
        .block(NestedBlock::list("list", block()))
        .block(NestedBlock::set("set", block()))
        .block(NestedBlock::map("map", block()))
}

/// The schema of what is not stored: nothing write-only there, and nothing to destroy.
pub(super) fn config_schema() -> Schema {
    Schema::new()
        .attribute(Attribute::required("name", Type::String))
        .attribute(Attribute::optional("any", Type::Dynamic))
        .attribute(Attribute::optional("tags", Type::set(Type::String)))
}

pub(super) fn identity() -> IdentitySchema {
    IdentitySchema::new().required("name", Type::String, "Its name.")
}

fn identity_of(state: &Value) -> Option<Value> {
    let name = state.get("name");
    (!name.is_null()).then(|| Value::object([("name", name.clone())]))
}

/// What an apply finds out.
fn known(planned: Value) -> Value {
    let schema = schema();
    planned.map(&mut |path, value| match schema.attribute_at(path).map(Attribute::shape) {
        _ if value.is_known() => value,
        Some(Shape::Type(Type::String)) => "found".into(),
        Some(Shape::Type(Type::Number)) => 1_i64.into(),
        _ => Value::Null,
    })
}

#[async_trait]
impl Provider for Thing {
    fn schema(&self) -> Schema {
        config_schema()
    }
    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(Thing)]
    }
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(Thing)]
    }
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(Thing)]
    }
    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        vec![Arc::new(Thing)]
    }
    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        vec![Arc::new(Thing)]
    }
    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(Thing)]
    }
    fn state_stores(&self) -> Vec<Arc<dyn StateStore>> {
        vec![Arc::new(Thing)]
    }
    fn meta_schema(&self) -> Option<Schema> {
        Some(config_schema())
    }
    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

#[async_trait]
impl Resource for Thing {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        schema()
    }
    fn identity(&self) -> Option<IdentitySchema> {
        Some(identity())
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let identity = identity_of(&request.state);
        Ok(ReadResponse { identity, ..request.unchanged() })
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let plan = schema().plan(&request.prior, &request.proposed, &request.config);
        Ok(PlanResponse {
            identity: identity_of(&plan.planned),
            planned: plan.planned,
            requires_replace: plan.requires_replace,
            private: request.prior_private,
            diagnostics: plan.diagnostics,
            deferred: None,
        })
    }
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let state = known(request.planned);
        let (identity, private) = (identity_of(&state), request.private);
        Ok(ApplyResponse { state, private, identity, diagnostics: Diagnostics::new() })
    }
    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let named = request.identity.map(|identity| identity.get("name").clone());
        let state = Value::object([("name", named.unwrap_or_else(|| request.id.into()))]);
        Ok(ImportResponse { identity: identity_of(&state), state, ..ImportResponse::default() })
    }
    fn moves_from(&self) -> bool {
        true
    }
    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        let state = schema().decode_state(&request.state)?;
        let (identity, private) = (identity_of(&state), request.private);
        Ok(MoveResponse { state, private, identity, diagnostics: Diagnostics::new() })
    }
}

#[async_trait]
impl DataSource for Thing {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        config_schema()
    }
    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        Ok(ReadDataResponse { state: request.config, ..ReadDataResponse::default() })
    }
}

#[async_trait]
impl Function for Thing {
    fn name(&self) -> &'static str {
        NAME
    }
    fn signature(&self) -> Signature {
        Signature::new(Type::Dynamic)
            .parameter(Parameter::new("pairs", Type::map(Type::Number)))
            .variadic(Parameter::new("rest", Type::Dynamic).nullable().takes_unknown())
    }
    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        Ok(Value::list(request.arguments))
    }
}

#[async_trait]
impl EphemeralResource for Thing {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        config_schema()
    }
    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        let renew_at = Some(SystemTime::UNIX_EPOCH);
        Ok(OpenResponse { result: request.config, renew_at, ..OpenResponse::default() })
    }
    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        Ok(RenewResponse { private: request.private, ..RenewResponse::default() })
    }
}

#[async_trait]
impl ListResource for Thing {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        config_schema()
    }
    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics> {
        for display_name in ["a", "b"] {
            let identity = Value::object([("name", display_name.into())]);
            let resource = request.include_resource.then(|| identity.clone());
            let (display_name, diagnostics) = (display_name.to_owned(), Diagnostics::new());
            found.send(ListEvent { identity, display_name, resource, diagnostics }).await?;
        }
        found.warn("That is all", "").await?;
        Ok(())
    }
}

#[async_trait]
impl Action for Thing {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        config_schema()
    }
    async fn invoke(&self, _: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        progress.say("half of it");
        Ok(())
    }
}

#[async_trait]
impl StateStore for Thing {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        config_schema()
    }
    async fn configure(&self, _: ConfigureStoreRequest) -> Diagnostics {
        Diagnostics::new()
    }
    async fn states(&self, _: CancellationToken) -> Result<Vec<String>, Diagnostics> {
        Ok(vec!["default".to_owned()])
    }
    async fn read(&self, request: StateRequest) -> Result<Option<Vec<u8>>, Diagnostics> {
        Ok(Some(request.name.into_bytes()))
    }
    async fn write(&self, _: StateRequest, _: Vec<u8>) -> Result<(), Diagnostics> {
        Ok(())
    }
    async fn delete(&self, _: StateRequest) -> Result<(), Diagnostics> {
        Ok(())
    }
}
