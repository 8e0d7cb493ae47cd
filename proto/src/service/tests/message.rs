//! Messages that lack a part, are damaged, or ask for what is not there; deferrals and `provider_meta`.

use tonic::Request;

use super::parts::{Parts, lines, received, sent, sent_value};
use crate::{
    Value,
    service::{Service, codec},
    wire::tfplugin6::{
        self as wire, ClientCapabilities, Diagnostic, DynamicValue, apply_resource_change as apply,
        configure_provider, plan_resource_change as plan, provider_server::Provider as _, read_data_source,
        read_resource as read, validate_data_resource_config, validate_provider_config,
        validate_resource_config,
    },
};

fn thing() -> String {
    "thing".to_owned()
}

fn damaged() -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: vec![0x82, 0xa3, b'h', b'o', b'w', 0xdb, 0xff], json: Vec::new() })
}

macro_rules! ask {
    ($service:ident $call:ident $($request:tt)*) => {
        $service.$call(Request::new(wire::$call::Request { $($request)*, ..Default::default() }))
            .await.unwrap().into_inner().diagnostics
    };
}

/// What each call that needs a value says about one.
#[expect(clippy::needless_update, reason = "some requests have further fields")]
async fn answers(service: &Service, name: &str, value: Option<DynamicValue>) -> Vec<Vec<Diagnostic>> {
    let type_name = || name.to_owned();
    let value = || value.clone();
    vec![
        ask!(service validate_resource_config type_name: type_name(), config: value()),
        ask!(service read_resource type_name: type_name(), current_state: value()),
        ask!(service plan_resource_change type_name: type_name(), prior_state: value(), config: value()),
        ask!(service apply_resource_change type_name: type_name(), prior_state: value(), config: value()),
        ask!(service generate_resource_config type_name: type_name(), state: value()),
        ask!(service validate_data_resource_config type_name: type_name(), config: value()),
        ask!(service read_data_source type_name: type_name(), config: value()),
        ask!(service validate_ephemeral_resource_config type_name: type_name(), config: value()),
        ask!(service open_ephemeral_resource type_name: type_name(), config: value()),
        ask!(service configure_state_store type_name: type_name(), config: value()),
    ]
}

/// What each call says about a `config` block, which the user may leave out.
#[expect(clippy::needless_update, reason = "some requests have further fields")]
async fn block_answers(service: &Service, name: &str, value: Option<DynamicValue>) -> Vec<Vec<Diagnostic>> {
    let type_name = || name.to_owned();
    let value = || value.clone();
    vec![
        ask!(service validate_list_resource_config type_name: type_name(), config: value()),
        ask!(service validate_action_config type_name: type_name(), config: value()),
        ask!(service plan_action action_type: type_name(), config: value()),
    ]
}

#[tokio::test]
async fn damage_is_told_and_survived() {
    let service = Parts::default().service();
    for (type_name, value, expected) in [
        ("thing", damaged(), "error: A value from Terraform cannot be read"),
        ("thing", None, "error: The client's message is incomplete: It sent no "),
        ("gone", sent("well"), "error: This version of the provider has no "),
    ] {
        let mut all = answers(&service, type_name, value.clone()).await;
        if value.is_some() {
            all.extend(block_answers(&service, type_name, value).await);
        }
        for diagnostics in all {
            let lines = lines(&diagnostics);
            assert!(lines.len() == 1 && lines[0].starts_with(expected), "{lines:?}");
        }
    }
    assert!(block_answers(&service, "thing", None).await.iter().all(Vec::is_empty));
    let request = configure_provider::Request { config: damaged(), ..Default::default() };
    let answer = service.configure_provider(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics.len(), 1);
    let request = validate_provider_config::Request { config: sent("well") };
    let answer = service.validate_provider_config(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
}

#[tokio::test]
async fn a_damaged_state_is_not_lost() {
    let service = Parts::default().service();
    let request = read::Request {
        type_name: thing(),
        current_state: sent("well"),
        private: b"?".to_vec(),
        ..Default::default()
    };
    let answer = service.read_resource(Request::new(request)).await.unwrap().into_inner();
    assert!(
        lines(&answer.diagnostics)[0]
            .starts_with("error: The state of the resource is damaged: Its private data")
    );
    assert_eq!(answer.new_state, None);

    let request = apply::Request {
        type_name: thing(),
        prior_state: sent("well"),
        planned_state: damaged(),
        ..Default::default()
    };
    let answer = service.apply_resource_change(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((answer.diagnostics.len(), answer.new_state), (1, None));
}

#[tokio::test]
async fn validators_of_the_schema_run() {
    let (service, config) = (Parts::default().service(), sent("far too long to be any good"));
    let request = validate_resource_config::Request {
        type_name: thing(),
        config: config.clone(),
        client_capabilities: None,
    };
    let resource = service.validate_resource_config(Request::new(request)).await.unwrap().into_inner();
    let request = validate_data_resource_config::Request { type_name: thing(), config: config.clone() };
    let data = service.validate_data_resource_config(Request::new(request)).await.unwrap().into_inner();
    let request = validate_provider_config::Request { config };
    let provider = service.validate_provider_config(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(lines(&resource.diagnostics), lines(&data.diagnostics));
    assert_eq!(lines(&resource.diagnostics), lines(&provider.diagnostics));
    assert_eq!(resource.diagnostics.len(), 1);
}

#[tokio::test]
async fn modules_speak_through_provider_meta() {
    let parts = Parts::default();
    let service = parts.service();
    let meta = Value::object([("module", "m".into())]);
    for provider_meta in [None, Some(codec::encode(&meta))] {
        let state = sent_value(Value::object([("value", "v".into())]));
        let request =
            read::Request { type_name: thing(), current_state: state, provider_meta, ..Default::default() };
        let answer = service.read_resource(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, []);
    }
    assert_eq!(parts.said(), ["meta None", r#"meta Some("m")"#]);
}

fn client(deferral_allowed: bool) -> Option<ClientCapabilities> {
    Some(ClientCapabilities { deferral_allowed, ..Default::default() })
}

/// A service whose provider waits for part of its configuration.
async fn waiting() -> Service {
    let service = Parts::default().service();
    let config = sent_value(Value::object([("how", Value::Unknown)]));
    let request = configure_provider::Request { config, ..Default::default() };
    let answer = service.configure_provider(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    service
}

fn plan_request(how: &str, allowed: bool) -> plan::Request {
    plan::Request {
        type_name: thing(),
        proposed_new_state: sent(how),
        config: sent(how),
        client_capabilities: client(allowed),
        ..Default::default()
    }
}

#[tokio::test]
async fn plans_are_deferred_for_a_reason() {
    let again =
        plan::Request { planned_private: br#"{"k":"MQ=="}"#.to_vec(), ..plan_request("absent", true) };
    for (request, reason, error) in [
        (plan_request("later", true), Some(2), None),
        (plan_request("absent", true), Some(3), None),
        (plan_request("later", false), None, Some("error: This cannot be done yet: ")),
        (plan_request("config", true), None, Some("error: The provider gave an invalid answer: ")),
        (again, None, Some("error: The provider gave an invalid answer: ")),
    ] {
        let answer = waiting().await.plan_resource_change(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(answer.deferred.map(|deferred| deferred.reason), reason);
        let lines = lines(&answer.diagnostics);
        assert_eq!(lines.len(), usize::from(error.is_some()), "{lines:?}");
        assert!(lines.iter().zip(error).all(|(line, error)| line.starts_with(error)), "{lines:?}");
    }
}

#[tokio::test]
async fn a_deferred_read_changes_nothing() {
    let service = waiting().await;
    let request = read::Request {
        type_name: thing(),
        current_state: sent("later"),
        private: br#"{"k":"MQ=="}"#.to_vec(),
        client_capabilities: client(true),
        ..Default::default()
    };
    let answer = service.read_resource(Request::new(request.clone())).await.unwrap().into_inner();
    assert_eq!((answer.new_state, answer.private), (request.current_state, request.private));
    assert_eq!(answer.deferred.unwrap().reason, 2);

    let request = read_data_source::Request {
        type_name: thing(),
        config: sent("later"),
        client_capabilities: client(true),
        ..Default::default()
    };
    let answer = service.read_data_source(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.deferred.unwrap().reason, 2);
    assert!(received(answer.state).is_unknown());
}
