//! What the library does for a resource, shown by one that does as little as it can, or wrong.

#![expect(clippy::unnecessary_wraps, reason = "the signature of a handler")]

mod action;
mod catalog;
mod ephemeral;
mod function;
mod list;
mod message;
mod parts;
mod state_store;
mod transfer;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    ApplyRequest, ApplyResponse, Attribute, Block, ConfigureRequest, DataSource, Diagnostic, Diagnostics,
    ImportRequest, ImportResponse, NestedBlock, PlanRequest, PlanResponse, Private, Provider, ReadRequest,
    ReadResponse, Resource, Schema, Type, Value,
    testing::{Core, State},
};

type Plan = fn(PlanRequest) -> Result<PlanResponse, Diagnostics>;
type Apply = fn(ApplyRequest) -> Result<ApplyResponse, Diagnostics>;

/// A provider with one resource, whose answers a test makes up.
#[derive(Clone)]
struct Scripted {
    plan: Plan,
    apply: Apply,
}

const SOUND: Scripted = Scripted { plan: as_proposed, apply: as_planned };

fn schema() -> Schema {
    Schema::new()
        .attribute(Attribute::required("name", Type::String))
        .attribute(Attribute::optional("secret", Type::String).write_only())
        .attribute(Attribute::computed("id", Type::String))
        .block(NestedBlock::list("row", Block::new().attribute(Attribute::optional("a", Type::Bool))))
}

fn as_proposed(request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
    let planned = schema().mark_computed_unknown(&request.prior, request.proposed, &request.config);
    Ok(PlanResponse { planned, private: request.prior_private, ..PlanResponse::default() })
}

fn as_planned(request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
    let state = request.planned.with("id", "i-1");
    Ok(ApplyResponse { state, private: request.private, ..ApplyResponse::default() })
}

#[async_trait]
impl Provider for Scripted {
    fn schema(&self) -> Schema {
        Schema::new()
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(self.clone())]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        Vec::new()
    }

    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

#[async_trait]
impl Resource for Scripted {
    fn type_name(&self) -> &'static str {
        "thing"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        (self.plan)(request)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        (self.apply)(request)
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let state = Value::object([("name", request.id.into())]);
        Ok(ImportResponse { state, ..ImportResponse::default() })
    }
}

/// Wrong in one attribute.
fn planned(request: PlanRequest, name: &str, value: Value) -> Result<PlanResponse, Diagnostics> {
    Ok(PlanResponse { planned: request.proposed.with(name, value), ..PlanResponse::default() })
}

/// Wrong in one attribute.
fn applied(request: ApplyRequest, name: &str, value: Value) -> Result<ApplyResponse, Diagnostics> {
    let state = request.planned.with("id", "i").with(name, value);
    Ok(ApplyResponse { state, ..ApplyResponse::default() })
}

fn config() -> Value {
    Value::object([("name", "n".into()), ("secret", "s".into())])
}

async fn create(provider: Scripted) -> Result<State, (State, Diagnostics)> {
    let core = Core::new(provider);
    let nothing = State::default();
    let planned = core.plan("thing", &nothing, config()).await.map_err(|errors| (nothing, errors))?;
    core.apply("thing", planned, config()).await
}

fn shown(diagnostics: &Diagnostics) -> Vec<String> {
    let line = |one: &Diagnostic| {
        let path = one.attribute.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{path}: {}: {}", one.summary, one.detail)
    };
    diagnostics.iter().map(line).collect()
}

#[tokio::test]
async fn a_resource_lives_and_dies() {
    let core = Core::new(SOUND);
    assert_eq!(core.schema_faults().await.unwrap(), [""; 0]);
    let planned = core.plan("thing", &State::default(), config()).await.unwrap();
    assert!(planned.value.get("id").is_unknown());
    assert!(planned.value.get("secret").is_null(), "write-only values stay out of plans");
    let state = core.apply("thing", planned, config()).await.unwrap();
    let expected = json!({ "id": "i-1", "name": "n", "secret": null, "row": [] });
    assert_eq!(state.value, schema().decode_state(&expected).unwrap());

    let state = core.refresh("thing", &state).await.unwrap();
    assert!(core.plan("thing", &state, config()).await.unwrap().is_empty());
    let planned = core.plan("thing", &state, Value::Null).await.unwrap();
    let state = core.apply("thing", planned, Value::Null).await.unwrap();
    assert_eq!(state.value, Value::Null);
}

#[tokio::test]
async fn old_state_and_strangers_are_taken_over() {
    let core = Core::new(SOUND);
    let old = core.upgrade("thing", 0, r#"{"name":"n","gone":{"x":1}}"#).await.unwrap();
    assert_eq!((old.get("name"), old.get("id")), (&"n".into(), &Value::Null));
    let damaged = core.upgrade("thing", 0, r#"{"name":1}"#).await.unwrap_err();
    assert_eq!(shown(&damaged), ["name: Unsuitable value: `name` must be string, not this number"]);
    assert_eq!(*core.import("thing", "x").await.unwrap().value.get("name"), "x".into());
}

#[tokio::test]
async fn a_panic_is_a_diagnostic() {
    let (state, errors) = create(Scripted { apply: |_| panic!("out of cheese"), ..SOUND }).await.unwrap_err();
    assert_eq!(state, State::default());
    let expected = ": The provider crashed: This is a bug in the provider: `ApplyResourceChange` panicked: \
        out of cheese. Please report it.";
    assert_eq!(shown(&errors), [expected]);
}

#[tokio::test]
async fn a_failed_apply_keeps_what_was_before() {
    let failing: Apply = |_| Err(Diagnostic::error("no", "").into());
    let (state, _) = create(Scripted { apply: failing, ..SOUND }).await.unwrap_err();
    assert_eq!(state, State::default());

    let before = create(SOUND).await.unwrap();
    let core = Core::new(Scripted { apply: failing, ..SOUND });
    let planned = core.plan("thing", &before, config().with("name", "other")).await.unwrap();
    let (state, _) = core.apply("thing", planned, config().with("name", "other")).await.unwrap_err();
    assert_eq!(state, before);
}

#[tokio::test]
async fn a_half_done_creation_is_kept() {
    let half: Apply = |request| {
        let diagnostics = Diagnostic::error("no", "").into();
        Ok(ApplyResponse { state: request.planned, diagnostics, ..ApplyResponse::default() })
    };
    let (state, errors) = create(Scripted { apply: half, ..SOUND }).await.unwrap_err();
    assert_eq!((state.value.get("name"), state.value.get("id")), (&"n".into(), &Value::Null));
    assert_eq!(shown(&errors), [": no: "]);
}

#[tokio::test]
async fn mistakes_are_named_by_attribute() {
    let cases: Vec<(Scripted, &str)> = vec![
        (Scripted { apply: |r| applied(r, "id", Value::Unknown), ..SOUND }, "id: `id` is still unknown"),
        (
            Scripted { apply: |r| applied(r, "name", "N".into()), ..SOUND },
            "name: `name` has another value than planned",
        ),
        (
            Scripted { apply: |r| applied(r, "name", true.into()), ..SOUND },
            "name: `name` must be string, not a bool",
        ),
        (
            Scripted { apply: |_| Ok(ApplyResponse::default()), ..SOUND },
            ": the resource was present and is now absent",
        ),
        (
            Scripted { apply: identified_by_nothing_known, ..SOUND },
            ": `id` is a part of the identity and still unknown",
        ),
        (
            Scripted { plan: |r| planned(r, "name", "N".into()), ..SOUND },
            "name: `name` is planned neither as configured nor as it was before",
        ),
        (
            Scripted {
                plan: |r| planned(r, "row", Value::list([Value::object([("a", true.into())])])),
                ..SOUND
            },
            "row: `row` has other elements in the plan than in the configuration",
        ),
        (
            Scripted { plan: |r| planned(r, "nmae", true.into()), ..SOUND },
            "nmae: `nmae` must be left out (the schema has no such attribute), not a bool",
        ),
    ];
    for (provider, expected) in cases {
        let (_, errors) = create(provider).await.unwrap_err();
        let (path, fault) = expected.split_once(": ").unwrap();
        let said = "The provider gave an invalid answer: This is a bug in the provider, please report it";
        assert_eq!(shown(&errors), [format!("{path}: {said}: {fault}.")]);
    }
}

fn identified_by_nothing_known(request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
    let identity = Some(Value::object([("id", Value::Unknown)]));
    Ok(ApplyResponse { identity, ..applied(request, "id", "i-1".into())? })
}

#[tokio::test]
async fn what_exists_is_not_forgotten_over_a_mistake() {
    for apply in [|r| applied(r, "name", true.into()), |r| applied(r, "id", Value::Unknown)] as [Apply; 2] {
        let (state, _) = create(Scripted { apply, ..SOUND }).await.unwrap_err();
        assert_eq!((state.value.get("name"), state.value.get("id")), (&"n".into(), &Value::Null));
    }
}

#[tokio::test]
async fn a_plan_that_contradicts_itself_is_found() {
    fn moody(request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let mut private = Private::default();
        private.set("first", "x").unwrap();
        let again = request.planned_private.is_some();
        let planned = request.proposed.with("id", if again { "second" } else { "first" });
        Ok(PlanResponse { planned, private, ..PlanResponse::default() })
    }
    let core = Core::new(Scripted { plan: moody, ..SOUND }).storing_planned_private();
    let planned = core.plan("thing", &State::default(), config()).await.unwrap();
    let (_, errors) = core.apply("thing", planned, config()).await.unwrap_err();
    let expected = "id: Provider produced inconsistent final plan: This is a bug in the provider: \
        `id` has another value than planned.";
    assert_eq!(shown(&errors), [expected]);
}

#[tokio::test]
async fn private_data_of_state_and_plan_come_apart() {
    fn telling(request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let seen =
            |private: Option<Private>| private.and_then(|private| private.get::<String>("at").unwrap());
        let told = format!(
            "{:?} {:?}",
            seen(Some(request.prior_private.clone())),
            seen(request.planned_private.clone())
        );
        let mut private = request.prior_private;
        private.set("at", "plan").unwrap();
        let diagnostics = Diagnostic::warning(told, "").into();
        Ok(PlanResponse {
            planned: request.proposed.with("id", Value::Unknown),
            private,
            diagnostics,
            ..PlanResponse::default()
        })
    }
    let provider = Scripted { plan: telling, ..SOUND };
    for (core, expected) in [
        (Core::new(provider.clone()), r#"Some("plan") None"#),
        (Core::new(provider).storing_planned_private(), r#"Some("plan") Some("plan")"#),
    ] {
        let planned = core.plan("thing", &State::default(), config()).await.unwrap();
        assert_eq!(shown(&planned.warnings), [": None None: "]);
        let state = core.apply("thing", planned, config()).await.unwrap();
        let planned = core.plan("thing", &state, config().with("name", "other")).await.unwrap();
        assert_eq!(shown(&planned.warnings), [r#": Some("plan") None: "#]);
        let again = core
            .plan_again("thing", &planned, &config().with("name", "other").with("row", Value::list([])))
            .await
            .unwrap();
        assert_eq!(shown(&again.warnings), [format!(": {expected}: ")]);
    }
}

/// A resource whose apply waits to be let go, or interrupted.
struct Waiting {
    started: mpsc::Sender<()>,
    go_on: tokio::sync::Mutex<mpsc::Receiver<()>>,
    ended: mpsc::Sender<&'static str>,
}

#[async_trait]
impl Resource for Waiting {
    fn type_name(&self) -> &'static str {
        "thing"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        as_proposed(request)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        self.started.send(()).await.unwrap();
        let mut go_on = self.go_on.lock().await;
        let how = tokio::select! {
            _ = go_on.recv() => "done",
            () = request.cancellation.cancelled() => "interrupted",
        };
        self.ended.send(how).await.unwrap();
        as_planned(request)
    }
}

struct Only(Arc<Waiting>);

#[async_trait]
impl Provider for Only {
    fn schema(&self) -> Schema {
        Schema::new()
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::clone(&self.0) as Arc<dyn Resource>]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        Vec::new()
    }

    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

#[tokio::test]
async fn an_apply_goes_on_when_nobody_waits_and_ends_when_interrupted() {
    let (started, mut starts) = mpsc::channel(1);
    let (ended, mut ends) = mpsc::channel(1);
    let (let_go, go_on) = mpsc::channel(1);
    let core = Core::new(Only(Arc::new(Waiting { started, go_on: go_on.into(), ended })));
    let planned = core.plan("thing", &State::default(), config()).await.unwrap();

    // The connection breaks in the middle.
    tokio::select! {
        _ = core.apply("thing", planned.clone(), config()) => panic!("nobody let it go on"),
        _ = starts.recv() => {}
    }
    let_go.send(()).await.unwrap();
    assert_eq!(ends.recv().await, Some("done"));

    // Ctrl-C, twice over: each time what runs is interrupted, and what comes later is not.
    for _ in 0..2 {
        let interrupt = async {
            starts.recv().await;
            core.stop().await.unwrap();
            ends.recv().await
        };
        let (state, how) = tokio::join!(core.apply("thing", planned.clone(), config()), interrupt);
        assert_eq!((how, state.is_ok()), (Some("interrupted"), true));
    }
}
