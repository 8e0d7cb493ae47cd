//! A provider with one part of each kind. What a part does is told by its argument `how`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

use crate::{
    Action, ApplyRequest, ApplyResponse, Attribute, CallRequest, CancellationToken, CloseRequest,
    ConfigureRequest, ConfigureStoreRequest, DataSource, Deferral, Diagnostic, Diagnostics,
    EphemeralResource, Found, Function, FunctionError, IdentitySchema, ImportRequest, ImportResponse,
    InvokeRequest, ListEvent, ListRequest, ListResource, LockRequest, MoveRequest, MoveResponse, OpenRequest,
    OpenResponse, Parameter, PlanActionRequest, PlanActionResponse, PlanRequest, PlanResponse, Private,
    Progress, Provider, ReadDataRequest, ReadDataResponse, ReadRequest, ReadResponse, RenewRequest,
    RenewResponse, Resource, Schema, Signature, StateRequest, StateStore, Type, UnlockRequest,
    UpgradeIdentityRequest, ValidateRequest, Validator, Value,
    service::{Service, codec},
    wire::tfplugin6::{self as wire, DynamicValue},
};

#[derive(Clone, Default)]
pub(super) struct Parts {
    said: Arc<Mutex<Vec<String>>>,
    states: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Parts {
    pub(super) fn service(&self) -> Service {
        Service::new(self.clone())
    }

    /// What the parts were asked, in order.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    fn say(&self, what: impl Into<String>) {
        self.said.lock().unwrap().push(what.into());
    }
}

/// The schema of every part.
pub(super) fn schema() -> Schema {
    let short = Validator::length(..20);
    Schema::new()
        .version(2)
        .attribute(Attribute::optional("how", Type::String).validate(short))
        .attribute(Attribute::computed("value", Type::String))
}

pub(super) fn sent(how: &str) -> Option<DynamicValue> {
    sent_value(Value::object([("how", how.into())]))
}

pub(super) fn sent_value(value: Value) -> Option<DynamicValue> {
    Some(codec::encode(&schema().complete(value).unwrap()))
}

pub(super) fn received(sent: Option<DynamicValue>) -> Value {
    codec::decode(sent, &schema().implied_type()).unwrap()
}

/// Diagnostics as lines: place, summary, detail.
pub(super) fn lines(diagnostics: &[wire::Diagnostic]) -> Vec<String> {
    let line = |one: &wire::Diagnostic| {
        let severity = one.severity().as_str_name().to_lowercase();
        [&*severity, &*one.summary, &*one.detail].join(": ").trim_end_matches(": ").to_owned()
    };
    diagnostics.iter().map(line).collect()
}

fn how(config: &Value) -> &str {
    config.get("how").as_str().unwrap_or_default()
}

/// What goes wrong in every kind of part.
fn trouble(config: &Value) -> Result<(), Diagnostics> {
    match how(config) {
        "panic" => panic!("out of cheese"),
        "fail" => Err(Diagnostic::error("no", "Not today.").into()),
        _ => Ok(()),
    }
}

fn result(config: &Value) -> Value {
    match how(config) {
        "unknown" => config.clone().with("value", Value::Unknown),
        "wrong" => config.clone().with("value", true),
        "other" => config.clone().with("how", "this").with("value", "v"),
        "null" => Value::Null,
        _ => config.clone().with("value", "v"),
    }
}

fn deferral(config: &Value) -> Option<Deferral> {
    match how(config) {
        "later" => Some(Deferral::ProviderConfigUnknown),
        "config" => Some(Deferral::ResourceConfigUnknown),
        "absent" => Some(Deferral::AbsentPrerequisite),
        _ => None,
    }
}

fn identity(id: &str) -> Value {
    Value::object([("id", id.into())])
}

#[async_trait]
impl Provider for Parts {
    fn schema(&self) -> Schema {
        schema()
    }
    fn meta_schema(&self) -> Option<Schema> {
        Some(Schema::new().attribute(Attribute::optional("module", Type::String)))
    }
    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(self.clone())]
    }
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(self.clone())]
    }
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        FUNCTIONS.iter().map(|one| Arc::new(one.clone()) as Arc<dyn Function>).collect()
    }
    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        vec![Arc::new(self.clone())]
    }
    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        vec![Arc::new(self.clone())]
    }
    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(self.clone())]
    }
    fn state_stores(&self) -> Vec<Arc<dyn StateStore>> {
        vec![Arc::new(self.clone())]
    }
    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        trouble(&request.config).err().unwrap_or_default()
    }
}

#[async_trait]
impl Resource for Parts {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        schema()
    }
    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new().version(1).required("id", Type::String, ""))
    }
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        trouble(&request.config).err().unwrap_or_default()
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        trouble(&request.state)?;
        self.say(format!("meta {:?}", request.provider_meta.get("module").as_str()));
        let (state, deferred) = (result(&request.state), deferral(&request.state));
        let identity =
            if how(&state) == "renamed" { Some(identity("i-9")) } else { request.identity.clone() };
        Ok(ReadResponse { state, identity, deferred, ..request.unchanged() })
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        trouble(&request.proposed)?;
        let (planned, deferred) = (result(&request.proposed), deferral(&request.proposed));
        Ok(PlanResponse { planned, deferred, ..PlanResponse::default() })
    }
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        trouble(&request.planned)?;
        Ok(ApplyResponse { state: result(&request.planned), ..ApplyResponse::default() })
    }
    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let by_name =
            request.identity.as_ref().and_then(|identity| identity.get("id").as_str().map(str::to_owned));
        let config = Value::object([("how", request.id.clone().or(by_name.clone()).into())]);
        trouble(&config)?;
        let told = by_name.filter(|id| id != "nameless").map(|id| identity(&id));
        Ok(ImportResponse { state: result(&config), identity: told, ..ImportResponse::default() })
    }
    fn moves_from(&self) -> bool {
        true
    }
    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        let Some(id) = request.state["id"].as_str().filter(|_| request.source_type == "stuff") else {
            return Err(request.refused("thing").into());
        };
        let state = Value::object([("value", id.into())]);
        let moved = request.private.get::<String>("moved").unwrap_or_default();
        self.say(format!("private {moved:?}, identity {:?}", request.identity));
        Ok(MoveResponse { state, identity: Some(identity(id)), ..MoveResponse::default() })
    }
    async fn upgrade_identity(&self, request: UpgradeIdentityRequest) -> Result<Value, Diagnostics> {
        let name = if request.version == 0 { "name" } else { "id" };
        Ok(identity(request.identity[name].as_str().unwrap_or_default()))
    }
}

#[async_trait]
impl DataSource for Parts {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        schema()
    }
    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        trouble(&request.config)?;
        let (state, deferred) = (result(&request.config), deferral(&request.config));
        Ok(ReadDataResponse { state, deferred, ..ReadDataResponse::default() })
    }
}

#[async_trait]
impl EphemeralResource for Parts {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        schema()
    }
    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        trouble(&request.config)?;
        let mut private = Private::default();
        private.set("opened", how(&request.config)).unwrap();
        Ok(OpenResponse {
            result: result(&request.config),
            renew_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(100)),
            private,
            deferred: deferral(&request.config),
            ..OpenResponse::default()
        })
    }
    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        self.say(format!("renew {:?}", request.private.get::<String>("opened").unwrap()));
        Ok(RenewResponse { private: request.private, ..RenewResponse::default() })
    }
    async fn close(&self, request: CloseRequest) -> Diagnostics {
        self.say(format!("close {:?}", request.private.get::<String>("opened").unwrap()));
        Diagnostics::new()
    }
}

#[async_trait]
impl ListResource for Parts {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        schema()
    }
    /// Finds three things, or what `how` says.
    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics> {
        let endless = how(&request.config) == "endless";
        if how(&request.config) == "warn" {
            found.warn("slow", "").await?;
        }
        for number in (1_u64..).take_while(|number| endless || *number <= 3) {
            let resource = Some(result(&Value::object([("how", how(&request.config).into())])));
            let named = how(&request.config) != "nameless";
            let identity = if named { identity(&format!("i-{number}")) } else { Value::Null };
            let display_name = format!("thing {number}");
            let event = ListEvent { identity, display_name, resource, ..ListEvent::default() };
            found.send(event).await.inspect_err(|_| self.say("enough"))?;
            trouble(&request.config)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Action for Parts {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        schema()
    }
    async fn plan(&self, request: PlanActionRequest) -> Result<PlanActionResponse, Diagnostics> {
        trouble(&request.config)?;
        Ok(PlanActionResponse { deferred: deferral(&request.config), ..PlanActionResponse::default() })
    }
    async fn invoke(&self, request: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        progress.say("begun");
        progress.warn(Diagnostic::warning("dusty", ""));
        trouble(&request.config)?;
        progress.say("done");
        Ok(())
    }
}

#[async_trait]
impl StateStore for Parts {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        schema()
    }
    async fn configure(&self, request: ConfigureStoreRequest) -> Diagnostics {
        trouble(&request.config).err().unwrap_or_default()
    }
    async fn states(&self, _: CancellationToken) -> Result<Vec<String>, Diagnostics> {
        Ok(self.states.lock().unwrap().keys().cloned().collect())
    }
    async fn read(&self, request: StateRequest) -> Result<Option<Vec<u8>>, Diagnostics> {
        trouble(&Value::object([("how", request.name.as_str().into())]))?;
        Ok(self.states.lock().unwrap().get(&request.name).cloned())
    }
    async fn write(&self, request: StateRequest, state: Vec<u8>) -> Result<(), Diagnostics> {
        self.states.lock().unwrap().insert(request.name, state);
        Ok(())
    }
    async fn delete(&self, request: StateRequest) -> Result<(), Diagnostics> {
        self.states.lock().unwrap().remove(&request.name);
        Ok(())
    }
    async fn lock(&self, request: LockRequest) -> Result<String, Diagnostics> {
        Ok(format!("{} {}", request.operation, request.name))
    }
    async fn unlock(&self, request: UnlockRequest) -> Result<(), Diagnostics> {
        self.say(format!("unlock {} with {}", request.name, request.key));
        Ok(())
    }
}

#[derive(Clone)]
struct Made {
    name: &'static str,
    signature: fn() -> Signature,
    call: fn(CallRequest) -> Result<Value, FunctionError>,
}

const FUNCTIONS: &[Made] = &[
    Made {
        name: "join",
        signature: || {
            let text = |name: &str| Parameter::new(name, Type::String);
            Signature::new(Type::String).parameter(text("by")).variadic(text("parts").nullable())
        },
        call: |request| {
            let (by, parts): (String, Vec<Option<String>>) = (request.read(0)?, request.read_from(1)?);
            Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(&by).into())
        },
    },
    Made {
        name: "echo",
        signature: || {
            let any = Parameter::new("any", Type::Dynamic).nullable().takes_unknown();
            Signature::new(Type::Dynamic)
                .parameter(any)
                .summary("says it again")
                .deprecated("Say it yourself.")
        },
        call: |request| Ok(request.arguments[0].clone()),
    },
    Made {
        name: "odd",
        signature: || Signature::new(Type::Bool).parameter(Parameter::new("how", Type::String)),
        call: |request| match request.read::<String>(0)?.as_str() {
            "panic" => panic!("out of cheese"),
            "text" => Ok("true".into()),
            "unknown" => Ok(Value::Unknown),
            other => Err(FunctionError::new(format!("`{other}` is not odd")).at(0)),
        },
    },
];

#[async_trait]
impl Function for Made {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> Signature {
        (self.signature)()
    }
    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        (self.call)(request)
    }
}
