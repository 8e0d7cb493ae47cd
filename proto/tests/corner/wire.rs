//! The cases that a CLI of the machine may be too old for, done by our own client: the provider's program,
//! started and spoken to as Terraform does, over the wire.

mod store;

use std::{fs, path::Path};

use tfplugin_rs::{
    Deferral, Diagnostics, Value,
    testing::{
        Core, Listed, State,
        wire::{Client, Host},
    },
    wire::tfplugin6::{RawState, move_resource_state},
};

/// All of them, named as in `cases`.
pub(crate) const CASES: [&str; 25] = [
    "action_before_create",
    "action_invalid",
    "deferral_is_refused_without_the_capability",
    "deferral_of_action",
    "deferral_of_data_source",
    "deferral_of_import",
    "deferral_of_plan",
    "deferral_of_provider",
    "deferral_of_read",
    "ephemeral_closes_after_an_error",
    "function_nullable_untyped",
    "identity",
    "identity_changes",
    "identity_import",
    "list_all",
    "list_fails",
    "list_limited",
    "list_none",
    "list_some",
    "move_with_identity",
    "store_keeps_states",
    "store_locks",
    "store_refuses_its_configuration",
    "store_takes_large_states",
    "write_only_is_refused_without_the_capability",
];

/// Does one, in a process of its own.
pub(crate) async fn drive(name: &str) {
    let journal = tempfile::NamedTempFile::new().unwrap();
    let host = Host::new(crate::provider()).env("CORNER_JOURNAL", journal.path());
    let client = host.start().await.unwrap().client().await.unwrap();
    let core = client.core();
    match name {
        "action_before_create" => action(&core, journal.path()).await,
        "action_invalid" => action_invalid(&core).await,
        "deferral_is_refused_without_the_capability" => deferral_refused(&core).await,
        "deferral_of_action" => deferral_of_action(core.allowing_deferral()).await,
        "deferral_of_data_source" => deferral_of_data_source(core.allowing_deferral()).await,
        "deferral_of_import" => deferral_of_import(core.allowing_deferral()).await,
        "deferral_of_plan" => deferral_of_plan(core.allowing_deferral()).await,
        "deferral_of_provider" => deferral_of_provider(core.allowing_deferral()).await,
        "deferral_of_read" => deferral_of_read(core.allowing_deferral()).await,
        "ephemeral_closes_after_an_error" => ephemeral(&core, journal.path()).await,
        "function_nullable_untyped" => {
            assert_eq!(core.call("nullable_dynamic", [Value::Null]).await.unwrap(), Value::Null);
        }
        "identity" => identity(&core).await,
        "identity_changes" => identity_changes(&core).await,
        "identity_import" => identity_import(&core).await,
        "list_all" => assert_eq!(names(search(&core, "", None).await), ["tim", "tom", "zoe"]),
        "list_fails" => assert_eq!(said(search(&core, "nobody", None).await), ["Nobody may look for nobody"]),
        "list_limited" => assert_eq!(names(search(&core, "", Some(1)).await), ["tim"]),
        "list_none" => assert_eq!(names(search(&core, "x", None).await), [""; 0]),
        "list_some" => assert_eq!(names(search(&core, "t", None).await), ["tim", "tom"]),
        "move_with_identity" => move_with_identity(&client).await,
        "store_keeps_states" => store::keeps_states(&client).await,
        "store_locks" => store::locks(&client).await,
        "store_refuses_its_configuration" => store::refuses_its_configuration(&client).await,
        "store_takes_large_states" => store::takes_large_states(&client).await,
        "write_only_is_refused_without_the_capability" => write_only(core.storing_write_only()).await,
        other => panic!("nobody knows how to drive `{other}`"),
    }
    assert_eq!(client.shutdown().await.unwrap().code, Some(0));
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::object(members)
}

/// The summaries of what was reported.
fn said<T>(result: Result<T, Diagnostics>) -> Vec<String> {
    let diagnostics = result.err().unwrap_or_default();
    diagnostics.into_iter().map(|diagnostic| diagnostic.summary).collect()
}

async fn create(core: &Core, kind: &str, config: Value) -> State {
    let planned = core.plan(kind, &State::default(), config.clone()).await.unwrap();
    core.apply(kind, planned, config).await.unwrap()
}

async fn action(core: &Core, journal: &Path) {
    let note = |fails: Option<&str>| {
        object([("text", "created".into()), ("fails", fails.map(str::to_owned).into())])
    };
    assert_eq!(said(core.invoke("corner_note", note(Some("plan"))).await), ["This note cannot be planned"]);
    assert_eq!(said(core.invoke("corner_note", note(Some("invoke"))).await), ["This note cannot be written"]);
    assert_eq!(core.invoke("corner_note", note(None)).await.unwrap(), ["writing created"]);
    assert_eq!(fs::read_to_string(journal).unwrap(), "note created\n");
}

/// Terraform itself finds that an argument is missing; a wrong one is the provider's to find.
async fn action_invalid(core: &Core) {
    let config = object([("text", "x".into()), ("fails", "sometimes".into())]);
    assert_eq!(said(core.invoke("corner_note", config).await), ["Unsuitable value"]);
}

async fn deferral_refused(core: &Core) {
    core.configure(object([])).await.unwrap();
    let config = object([("name", "a".into()), ("waits_in", "plan".into())]);
    assert_eq!(said(core.plan("corner_deferred", &State::default(), config).await).len(), 1);
    assert_eq!(said(core.data("corner_deferred", object([("waits_in", "read".into())])).await).len(), 1);
    assert_eq!(said(core.import("corner_deferred", "later").await).len(), 1);
}

async fn deferral_of_action(core: Core) {
    core.configure(object([("name", Value::Unknown)])).await.unwrap();
    let config = object([("text", "x".into()), ("fails", "later".into())]);
    assert_eq!(core.invoke("corner_note", config).await.unwrap(), [""; 0]);
}

async fn deferral_of_data_source(core: Core) {
    core.configure(object([])).await.unwrap();
    let config = |waits: &str| object([("waits_in", waits.into())]);
    assert_eq!(core.data("corner_deferred", config("read")).await.unwrap(), Value::Unknown);
    let read = core.data("corner_deferred", config("never")).await.unwrap();
    assert_eq!(read.get("waits_in").as_str(), Some("never"));
}

async fn deferral_of_import(core: Core) {
    core.configure(object([])).await.unwrap();
    assert_eq!(core.import("corner_deferred", "later").await.unwrap(), State::default());
    let state = core.import("corner_deferred", "now").await.unwrap();
    assert_eq!(state.value.get("name").as_str(), Some("now"));
}

async fn deferral_of_plan(core: Core) {
    core.configure(object([])).await.unwrap();
    let deferred = async |name: Value, waits: &str| {
        let config = object([("name", name), ("waits_in", waits.into())]);
        core.plan("corner_deferred", &State::default(), config).await.map(|planned| planned.deferred)
    };
    assert_eq!(deferred(Value::Unknown, "never").await, Ok(Some(Deferral::ResourceConfigUnknown)));
    assert_eq!(deferred("a".into(), "plan").await, Ok(Some(Deferral::AbsentPrerequisite)));
    assert_eq!(deferred("a".into(), "never").await, Ok(None));
    let state = create(&core, "corner_deferred", object([("name", "a".into())])).await;
    assert_eq!(state.value.get("name").as_str(), Some("a"));
}

/// While the provider waits, its reason goes before the resource's own, and what is wrong is still found.
async fn deferral_of_provider(core: Core) {
    core.configure(object([("name", Value::Unknown)])).await.unwrap();
    let plan = async |name: &str, waits: &str| {
        let config = object([("name", name.into()), ("waits_in", waits.into())]);
        core.plan("corner_deferred", &State::default(), config).await.map(|planned| planned.deferred)
    };
    assert_eq!(plan("a", "never").await, Ok(Some(Deferral::ProviderConfigUnknown)));
    assert_eq!(plan("a", "plan").await, Ok(Some(Deferral::ProviderConfigUnknown)));
    assert_eq!(said(plan("invalid", "never").await), ["This name is invalid"]);
    core.configure(object([("name", "known".into())])).await.unwrap();
    assert_eq!(plan("a", "never").await, Ok(None));
}

async fn deferral_of_read(core: Core) {
    core.configure(object([])).await.unwrap();
    let state =
        create(&core, "corner_deferred", object([("name", "a".into()), ("waits_in", "read".into())])).await;
    assert_eq!(core.refresh("corner_deferred", &state).await.unwrap(), state);
}

async fn ephemeral(core: &Core, journal: &Path) {
    let config = object([("name", "short".into())]);
    let mut opened = core.open("corner_token", config).await.unwrap();
    assert_eq!(opened.result.get("token").as_str(), Some("token of short"));
    assert!(opened.renew_at.is_some());
    core.renew(&mut opened).await.unwrap();
    let refused = core.open("corner_token", object([("name", "refused".into())])).await;
    assert_eq!(said(refused.map(drop)), ["There is no such token"]);
    core.close(opened).await.unwrap();
    assert_eq!(fs::read_to_string(journal).unwrap(), "open short\nrenew short\nclose short\n");
}

fn person(name: &str) -> Value {
    object([("id", "id-123".into()), ("name", name.into())])
}

async fn identity(core: &Core) {
    let config = |name: &str, mood: &str| object([("name", name.into()), ("mood", mood.into())]);
    let state = create(core, "corner_person", config("tom", "sad")).await;
    assert_eq!(state.identity, Some(person("tom")));
    let planned = core.plan("corner_person", &state, config("tom", "glad")).await.unwrap();
    assert_eq!((planned.replaces.len(), &planned.identity), (0, &Some(person("tom"))));
    let state = core.apply("corner_person", planned, config("tom", "glad")).await.unwrap();
    assert_eq!(state.identity, Some(person("tom")));
    let planned = core.plan("corner_person", &state, config("tim", "glad")).await.unwrap();
    assert_eq!((planned.replaces.len(), &planned.identity), (1, &Some(person("tim"))));
    let state = core.apply("corner_person", planned, config("tim", "glad")).await.unwrap();
    assert_eq!(state.identity, Some(person("tim")));
}

/// What identifies a resource does not change while it lives: the error is ours, before any client's.
async fn identity_changes(core: &Core) {
    let state = create(core, "corner_person", object([("name", "jerry".into())])).await;
    assert_eq!(state.identity, Some(person("jerry")));
    assert_eq!(said(core.refresh("corner_person", &state).await).len(), 1);
}

async fn identity_import(core: &Core) {
    let state = core.import_identity("corner_person", person("tom")).await.unwrap();
    assert_eq!((state.value.get("name").as_str(), state.identity), (Some("tom"), Some(person("tom"))));
    let state = core.import("corner_person", "tom").await.unwrap();
    assert!(core.plan("corner_person", &state, object([("name", "tom".into())])).await.unwrap().is_empty());
}

async fn search(core: &Core, prefix: &str, limit: Option<u32>) -> Result<Vec<Listed>, Diagnostics> {
    core.list("corner_person", object([("prefix", prefix.into())]), limit.is_some(), limit).await
}

/// The names that were found, each as it is in identity and state.
fn names(found: Result<Vec<Listed>, Diagnostics>) -> Vec<String> {
    let name = |listed: Listed| {
        let identity = listed.identity.unwrap_or_default();
        let name = identity.get("name").as_str().unwrap_or_default();
        assert!(listed.resource.is_none_or(|resource| resource.get("name") == identity.get("name")));
        name.to_owned()
    };
    found.unwrap().into_iter().map(name).collect()
}

async fn move_with_identity(client: &Client) {
    let raw = |json: &str| Some(RawState { json: json.as_bytes().to_vec(), ..RawState::default() });
    let request = move_resource_state::Request {
        source_provider_address: "example.com/tfplugin/corner".to_owned(),
        source_type_name: "corner_person".to_owned(),
        source_state: raw(r#"{"id": "id-123", "name": "tom", "mood": null}"#),
        source_identity: raw(r#"{"id": "id-123", "name": "tom"}"#),
        target_type_name: "corner_moved".to_owned(),
        ..Default::default()
    };
    let answer = client.calls().move_resource_state(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    let identity = answer.target_identity.and_then(|identity| identity.identity_data).unwrap().msgpack;
    let state = answer.target_state.unwrap().msgpack;
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds(&identity, "moved with its identity") && holds(&state, "tom"));
}

async fn write_only(core: Core) {
    let config = object([("text_wo", "fakepassword".into())]);
    let refused = core.plan("corner_secret", &State::default(), config).await;
    assert_eq!(said(refused), ["Write-only arguments need a newer client"]);
    assert!(core.plan("corner_secret", &State::default(), object([])).await.is_ok());
}
