//! What the kit sends in the order Terraform does, and what it finds wrong.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::{
    Action, ApplyRequest, ApplyResponse, Attribute, CallRequest, CloseRequest, ConfigureRequest, DataSource,
    Diagnostic, Diagnostics, EphemeralResource, Function, FunctionError, IdentitySchema, InvokeRequest,
    Number, OpenRequest, OpenResponse, Operation, Parameter, PlanRequest, PlanResponse, Private, Progress,
    Provider, ReadRequest, ReadResponse, RenewRequest, RenewResponse, Resource, Schema, Signature, Type,
    Value, async_trait,
    testing::{Core, State},
};

/// A provider of one of each, which writes down what it is asked, in a world that tests change.
#[derive(Clone, Default)]
struct World(Arc<Inner>);

#[derive(Default)]
struct Inner {
    asked: Mutex<Vec<String>>,
    /// What a plan finds out by looking.
    serial: AtomicU32,
    /// Whether applies fail half-way.
    broken: AtomicBool,
}

impl World {
    fn note(&self, what: String) {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Provider for World {
    fn schema(&self) -> Schema {
        Schema::new()
    }
    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(self.clone())]
    }
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![]
    }
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(Count(AtomicU32::new(0))), Arc::new(Shout)]
    }
    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        vec![Arc::new(self.clone())]
    }
    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(self.clone())]
    }
    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

fn mark(private: &Private) -> String {
    private.get::<String>("mark").unwrap().unwrap_or_default()
}

fn marked(mark: &str) -> Private {
    let mut private = Private::default();
    private.set("mark", mark).unwrap();
    private
}

#[async_trait]
impl Resource for World {
    fn type_name(&self) -> &'static str {
        "thing"
    }
    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::required("name", Type::String))
            .attribute(Attribute::computed("serial", Type::Number))
    }
    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new().required("name", Type::String, ""))
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let unchanged = request.unchanged();
        let other = self.0.broken.load(Ordering::Relaxed).then(|| named("other"));
        Ok(ReadResponse { identity: other.or(unchanged.identity.clone()), ..unchanged })
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let operation = request.operation();
        let kept = request.planned_private.as_ref().map(mark);
        self.note(format!("plan {operation:?} {:?} {kept:?}", mark(&request.prior_private)));
        let serial = Number::from(u64::from(self.0.serial.load(Ordering::Relaxed)));
        let changed = request.prior.get("name") != request.proposed.get("name");
        let planned = request.proposed;
        Ok(PlanResponse {
            planned: if changed && !planned.is_null() { planned.with("serial", serial) } else { planned },
            requires_replace: vec![
                if self.0.broken.load(Ordering::Relaxed) { "nothing" } else { "name" }.into(),
            ],
            private: marked(&format!("{operation:?}")),
            ..PlanResponse::default()
        })
    }
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        self.note(format!("apply {:?} {:?}", request.operation(), mark(&request.private)));
        let mut response = ApplyResponse { private: marked("state"), ..ApplyResponse::default() };
        if request.operation() != Operation::Destroy {
            response.identity = Some(Value::object([("name", request.planned.get("name").clone())]));
            response.state = request.planned;
        }
        if self.0.broken.load(Ordering::Relaxed) {
            response.diagnostics = Diagnostic::error("half-way", "").into();
        }
        Ok(response)
    }
}

/// A function with a memory, which is none.
struct Count(AtomicU32);

#[async_trait]
impl Function for Count {
    fn name(&self) -> &'static str {
        "count"
    }
    fn signature(&self) -> Signature {
        Signature::new(Type::Number)
    }
    async fn call(&self, _: CallRequest) -> Result<Value, FunctionError> {
        Ok(i64::from(self.0.fetch_add(1, Ordering::Relaxed)).into())
    }
}

struct Shout;

#[async_trait]
impl Function for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }
    fn signature(&self) -> Signature {
        Signature::new(Type::String).parameter(Parameter::new("text", Type::String))
    }
    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        Ok(request.arguments[0].as_str().unwrap_or_default().to_uppercase().into())
    }
}

#[async_trait]
impl EphemeralResource for World {
    fn type_name(&self) -> &'static str {
        "token"
    }
    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::computed("text", Type::String))
    }
    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics> {
        let result = request.config.with("text", "t");
        let renew_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(7));
        Ok(OpenResponse { result, renew_at, private: marked("opened"), ..OpenResponse::default() })
    }
    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        self.note(format!("renew {}", mark(&request.private)));
        Ok(RenewResponse { private: marked("renewed"), ..RenewResponse::default() })
    }
    async fn close(&self, request: CloseRequest) -> Diagnostics {
        self.note(format!("close {}", mark(&request.private)));
        Diagnostics::new()
    }
}

#[async_trait]
impl Action for World {
    fn type_name(&self) -> &'static str {
        "ring"
    }
    fn schema(&self) -> Schema {
        Schema::new()
    }
    async fn invoke(&self, _: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        progress.say("ding");
        progress.say("dong");
        Ok(())
    }
}

fn named(name: &str) -> Value {
    Value::object([("name", name)].map(|(name, value)| (name, value.into())))
}

async fn made(core: &Core, name: &str) -> State {
    let planned = core.plan("thing", &State::default(), named(name)).await.unwrap();
    core.apply("thing", planned, named(name)).await.unwrap()
}

#[tokio::test]
async fn a_replacement_is_planned_and_made_in_two_halves() {
    for (stores, again) in [(false, "None"), (true, "Some(\"Create\")")] {
        let world = World::default();
        let core = Core::new(world.clone());
        let core = if stores { core.storing_planned_private() } else { core };
        let state = made(&core, "a").await;
        world.asked();
        let planned = core.plan("thing", &state, named("b")).await.unwrap();
        assert_eq!((planned.replaces.len(), planned.is_empty()), (1, false));
        let state = core.apply("thing", planned, named("b")).await.unwrap();
        assert_eq!(state.identity, Some(named("b")));
        let expected = [
            "plan Update \"state\" None".to_owned(),
            "plan Create \"Update\" None".to_owned(),
            // Destroying gets the private data of the plan for the new one.
            "apply Destroy \"Create\"".to_owned(),
            format!("plan Create \"\" {again}"),
            "apply Create \"Create\"".to_owned(),
        ];
        assert_eq!(world.asked(), expected);
    }
}

#[tokio::test]
async fn destroying_is_planned_once() {
    let world = World::default();
    let core = Core::new(world.clone());
    let state = made(&core, "a").await;
    world.asked();
    let planned = core.plan("thing", &state, Value::Null).await.unwrap();
    assert!(core.apply("thing", planned, Value::Null).await.unwrap().value.is_null());
    assert_eq!(world.asked(), ["plan Destroy \"state\" None", "apply Destroy \"Destroy\""]);
}

#[tokio::test]
async fn a_world_that_moves_between_plans_is_noticed() {
    let world = World::default();
    let core = Core::new(world.clone());
    let nothing = State::default();
    let still = core.replan_after("thing", &nothing, named("a"), async || {}).await;
    assert_eq!(still.map(|(first, second)| first.value == second.value), Ok(true));
    let change = async || _ = world.0.serial.fetch_add(1, Ordering::Relaxed);
    let errors = core.replan_after("thing", &nothing, named("a"), change).await.unwrap_err();
    let shown: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.summary, error.detail)).collect();
    let expected = "Provider produced inconsistent final plan: This is a bug in the provider: \
                    `serial` has another value than planned.";
    assert_eq!(shown, [expected]);
}

#[tokio::test]
async fn a_creation_that_failed_half_way_is_replaced() {
    let world = World::default();
    let core = Core::new(world.clone());
    world.0.broken.store(true, Ordering::Relaxed);
    let planned = core.plan("thing", &State::default(), named("a")).await.unwrap();
    let (state, _) = core.apply("thing", planned, named("a")).await.unwrap_err();
    assert!(state.tainted);
    world.0.broken.store(false, Ordering::Relaxed);
    world.asked();
    let planned = core.plan("thing", &state, named("a")).await.unwrap();
    assert!(!planned.is_empty());
    assert!(!core.apply("thing", planned, named("a")).await.unwrap().tainted);
    let create = "plan Create \"\" None";
    assert_eq!(world.asked(), [create, "apply Destroy \"Create\"", create, "apply Create \"Create\""]);
}

#[tokio::test]
async fn answers_against_the_rules_are_found() {
    let world = World::default();
    let core = Core::new(world.clone());
    let state = made(&core, "a").await;
    world.0.broken.store(true, Ordering::Relaxed);
    let renamed = core.refresh("thing", &state).await.unwrap_err();
    let unfounded = core.plan("thing", &state, named("b")).await.unwrap_err();
    for (errors, expected) in [
        (renamed, "`name` is a part of the identity and cannot change."),
        (unfounded, "`nothing` does not exist and cannot force a replacement."),
    ] {
        let said = errors.iter().map(|error| error.detail.clone()).collect::<String>();
        assert!(said.starts_with("This is a bug in the provider") && said.ends_with(expected), "{said}");
    }
}

#[tokio::test]
async fn functions_are_called_as_terraform_calls_them() {
    let core = Core::new(World::default());
    assert_eq!(core.call("shout", ["hey".into()]).await, Ok("HEY".into()));
    assert_eq!(core.call("shout", [Value::Unknown]).await, Ok(Value::Unknown));
    assert_eq!(core.call("shout", [Value::Null]).await.unwrap_err().argument, Some(0));
    let impure = core.call("count", []).await.unwrap_err();
    assert_eq!(impure.text, "function returned an inconsistent result");
}

#[tokio::test]
async fn ephemeral_resources_are_opened_renewed_and_closed() {
    let world = World::default();
    let core = Core::new(world.clone());
    let mut opened = core.open("token", Value::object([("text", Value::Null)])).await.unwrap();
    assert_eq!(opened.result.get("text"), &"t".into());
    assert_eq!(opened.renew_at, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(7)));
    core.renew(&mut opened).await.unwrap();
    core.renew(&mut opened).await.unwrap();
    assert_eq!(opened.renew_at, None);
    core.close(opened).await.unwrap();
    assert_eq!(world.asked(), ["renew opened", "renew renewed", "close opened"]);
}

#[tokio::test]
async fn actions_say_what_they_do() {
    let core = Core::new(World::default());
    let nothing = Value::object::<&str>([]);
    assert_eq!(core.invoke("ring", nothing).await, Ok(vec!["ding".to_owned(), "dong".to_owned()]));
}
