//! Every call of the protocol, made by our own client: also those that no CLI makes yet, or any more.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};
use tfplugin_rs::testing::wire::{Calls, Host};
use tfplugin_rs::wire::tfplugin6::{
    self as rpc, DynamicValue, RawState, ResourceIdentityData, invoke_action::event,
};

use crate::stage::provider;

const FILE: &str = "files_file";

/// Makes a call and gives its answer, which must be without diagnostics.
macro_rules! call {
    ($calls:expr, $rpc:ident { $($fields:tt)* }) => { call!($calls, $rpc, $rpc { $($fields)* }) };
    ($calls:expr, $rpc:ident, $message:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
        #[allow(clippy::needless_update, reason = "some requests have no other fields")]
        let request = rpc::$message::Request { $($field $(: $value)?,)* ..Default::default() };
        let answer = $calls.$rpc(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, [], stringify!($rpc));
        answer
    }};
}

/// The calls that the provider answered, by the names that it logs.
pub(crate) async fn everything() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let client = Host::new(provider()).env("TF_LOG", "TRACE").start().await.unwrap().client().await.unwrap();
    let mut calls = client.calls();
    about_itself(&mut calls, folder.path()).await;
    file(&mut calls, folder.path()).await;
    data_and_functions(&mut calls).await;
    ephemeral(&mut calls).await;
    search(&mut calls).await;
    action(&mut calls).await;
    store(&mut calls, folder.path()).await;
    let stopped = calls.stop_provider(rpc::stop_provider::Request {}).await.unwrap().into_inner();
    assert_eq!(stopped.error, "");
    let ended = client.shutdown().await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let named = ended.log.iter().map(|line| line.field("tf_rpc").to_owned());
    named.filter(|call| !call.is_empty()).collect()
}

async fn about_itself(calls: &mut Calls, root: &Path) {
    let metadata = call!(calls, get_metadata {});
    let named = [metadata.resources.len(), metadata.data_sources.len(), metadata.functions.len()];
    assert_eq!(named, [1, 1, 2]);
    let schema = call!(calls, get_provider_schema {});
    assert!(
        schema.resource_schemas.contains_key(FILE) && schema.state_store_schemas.contains_key("files_folder")
    );
    assert!(call!(calls, get_resource_identity_schemas {}).identity_schemas.contains_key(FILE));
    let config = value(&json!({ "root": root }));
    call!(calls, validate_provider_config { config: config.clone() });
    call!(calls, configure_provider { config });
}

/// A file as it is in a state, before it is there: what is not known yet is null.
fn page(content: &str) -> Json {
    json!({
        "path": "page", "content": content, "content_wo": null, "content_wo_version": null, "mode": null,
        "sha256": null, "size": null, "timeouts": null,
    })
}

async fn file(calls: &mut Calls, root: &Path) {
    let type_name = || FILE.to_owned();
    let config = value(&page("1"));
    call!(calls, validate_resource_config { type_name: type_name(), config: config.clone() });
    let (prior_state, proposed_new_state) = (value(&Json::Null), config.clone());
    let planned = call!(
        calls,
        plan_resource_change {
            type_name: type_name(),
            prior_state,
            proposed_new_state,
            config: config.clone(),
        }
    );
    assert!(holds(planned.planned_state.as_ref(), "0644"), "the default");
    let applied = call!(
        calls,
        apply_resource_change {
            type_name: type_name(),
            prior_state: value(&Json::Null),
            planned_state: planned.planned_state,
            config,
            planned_private: planned.planned_private,
            planned_identity: planned.planned_identity,
        }
    );
    assert_eq!(std::fs::read_to_string(root.join("page")).unwrap(), "1");
    let state = applied.new_state;
    let read = call!(calls, read_resource { type_name: type_name(), current_state: state.clone() });
    assert_eq!(read.new_state, state);
    let config = call!(calls, generate_resource_config { type_name: type_name(), state }).config;
    assert!(holds(config.as_ref(), "page"));

    let identity = ResourceIdentityData { identity_data: value(&json!({ "path": "page" })) };
    let imported = call!(calls, import_resource_state { type_name: type_name(), identity: Some(identity) });
    assert!(holds(imported.imported_resources[0].state.as_ref(), "page"));
    let raw_state = raw(&json!({ "path": "page", "content": "1", "gone": true }));
    let upgraded = call!(calls, upgrade_resource_state { type_name: type_name(), raw_state }).upgraded_state;
    assert!(holds(upgraded.as_ref(), "page"));
    let raw_identity = raw(&json!({ "path": "page" }));
    let upgraded = call!(calls, upgrade_resource_identity { type_name: type_name(), raw_identity });
    assert!(holds(upgraded.upgraded_identity.unwrap().identity_data.as_ref(), "page"));
    let moved = call!(
        calls,
        move_resource_state {
            source_provider_address: "registry.terraform.io/hashicorp/local".to_owned(),
            source_type_name: "local_file".to_owned(),
            source_state: raw(&json!({ "filename": "page", "content": "1", "file_permission": "0600" })),
            target_type_name: type_name(),
        }
    );
    assert!(holds(moved.target_state.as_ref(), "0600"));
}

async fn data_and_functions(calls: &mut Calls) {
    let type_name = || FILE.to_owned();
    let config =
        value(&json!({ "path": "page", "content": null, "mode": null, "sha256": null, "size": null }));
    call!(calls, validate_data_resource_config { type_name: type_name(), config: config.clone() });
    let read = call!(calls, read_data_source { type_name: type_name(), config });
    assert!(holds(read.state.as_ref(), "0644"));

    assert_eq!(call!(calls, get_functions {}).functions.len(), 2);
    let arguments = ["a", "b"].iter().filter_map(|part| value(&json!(part))).collect();
    let request = rpc::call_function::Request { name: "join".to_owned(), arguments };
    let called = calls.call_function(request).await.unwrap().into_inner();
    assert_eq!(called.error, None);
    assert!(holds(called.result.as_ref(), "a/b"));
}

async fn ephemeral(calls: &mut Calls) {
    let type_name = || "files_temporary".to_owned();
    let config = value(&json!({ "content": "sesame", "path": null }));
    call!(calls, validate_ephemeral_resource_config { type_name: type_name(), config: config.clone() });
    let opened = call!(calls, open_ephemeral_resource { type_name: type_name(), config });
    assert!(opened.renew_at.is_some() && holds(opened.result.as_ref(), "sesame"));
    let renewed =
        call!(calls, renew_ephemeral_resource { type_name: type_name(), private: opened.private.clone() });
    assert!(renewed.renew_at.unwrap().seconds >= opened.renew_at.unwrap().seconds);
    call!(calls, close_ephemeral_resource { type_name: type_name(), private: opened.private });
}

async fn search(calls: &mut Calls) {
    let config = value(&json!({ "suffix": null }));
    call!(calls, validate_list_resource_config { type_name: FILE.to_owned(), config: config.clone() });
    let request = rpc::list_resource::Request {
        type_name: FILE.to_owned(),
        config,
        include_resource_object: true,
        limit: 10,
    };
    let mut found = calls.list_resource(request).await.unwrap().into_inner();
    let page = found.message().await.unwrap().unwrap();
    assert_eq!((page.display_name.as_str(), page.diagnostic), ("page", vec![]));
    assert!(holds(page.resource_object.as_ref(), "0644"));
    assert_eq!(found.message().await.unwrap(), None);
}

async fn action(calls: &mut Calls) {
    let name = || "files_touch".to_owned();
    let config = value(&json!({ "paths": ["page"] }));
    call!(calls, validate_action_config { type_name: name(), config: config.clone() });
    call!(calls, plan_action { action_type: name(), config: config.clone() });
    let request = rpc::invoke_action::Request { action_type: name(), config, client_capabilities: None };
    let mut events = calls.invoke_action(request).await.unwrap().into_inner();
    let progress = event::Progress { message: "touched `page`".to_owned() };
    let completed = event::Completed { diagnostics: vec![] };
    for expected in [event::Type::Progress(progress), event::Type::Completed(completed)] {
        assert_eq!(events.message().await.unwrap().unwrap().r#type, Some(expected));
    }
    assert_eq!(events.message().await.unwrap(), None);
}

async fn store(calls: &mut Calls, root: &Path) {
    let (type_name, state_id) = (|| "files_folder".to_owned(), || "default".to_owned());
    let config = value(&json!({ "path": "states" }));
    call!(
        calls,
        validate_state_store_config,
        validate_state_store { type_name: type_name(), config: config.clone() }
    );
    let capabilities = Some(rpc::StateStoreClientCapabilities { chunk_size: 4 });
    call!(calls, configure_state_store { type_name: type_name(), config, capabilities });

    let operation = "apply".to_owned();
    let key = call!(calls, lock_state { type_name: type_name(), state_id: state_id(), operation }).lock_id;
    let meta = rpc::RequestChunkMeta { type_name: type_name(), state_id: state_id() };
    let chunk = |meta, bytes: &[u8], start: i64| rpc::write_state_bytes::RequestChunk {
        meta,
        bytes: bytes.to_vec(),
        total_length: 6,
        range: Some(rpc::StateRange { start, end: start + i64::try_from(bytes.len()).unwrap() - 1 }),
    };
    let chunks = tokio_stream::iter([chunk(Some(meta), b"stat", 0), chunk(None, b"es", 4)]);
    assert_eq!(calls.write_state_bytes(chunks).await.unwrap().into_inner().diagnostics, []);
    assert_eq!(std::fs::read(root.join("states/default.tfstate")).unwrap(), b"states");
    assert_eq!(call!(calls, get_states { type_name: type_name() }).state_id, ["default"]);

    let request = rpc::read_state_bytes::Request { type_name: type_name(), state_id: state_id() };
    let mut chunks = calls.read_state_bytes(request).await.unwrap().into_inner();
    let mut state = Vec::new();
    while let Some(chunk) = chunks.message().await.unwrap() {
        assert!(chunk.bytes.len() <= 4 && chunk.total_length == 6, "{chunk:?}");
        state.extend(chunk.bytes);
    }
    assert_eq!(state, b"states");
    call!(calls, unlock_state { type_name: type_name(), state_id: state_id(), lock_id: key });
    call!(calls, delete_state { type_name: type_name(), state_id: state_id() });
    assert!(call!(calls, get_states { type_name: type_name() }).state_id.is_empty());
}

#[expect(clippy::unnecessary_wraps, reason = "as messages have it")]
fn value(json: &Json) -> Option<DynamicValue> {
    Some(DynamicValue { json: json.to_string().into_bytes(), msgpack: Vec::new() })
}

#[expect(clippy::unnecessary_wraps, reason = "as messages have it")]
fn raw(json: &Json) -> Option<RawState> {
    Some(RawState { json: json.to_string().into_bytes(), ..Default::default() })
}

/// Whether a value has this text somewhere.
fn holds(value: Option<&DynamicValue>, text: &str) -> bool {
    value.unwrap().msgpack.windows(text.len()).any(|window| window == text.as_bytes())
}
