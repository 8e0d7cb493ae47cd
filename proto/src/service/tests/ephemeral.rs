//! The life of ephemeral resources.

use tonic::Request;

use super::parts::{Parts, lines, received, sent, sent_value};
use crate::{
    Value,
    wire::tfplugin6::{
        ClientCapabilities, close_ephemeral_resource as close, configure_provider,
        open_ephemeral_resource as open, provider_server::Provider as _, renew_ephemeral_resource as renew,
        validate_ephemeral_resource_config as validate,
    },
};

fn thing() -> String {
    "thing".to_owned()
}

fn request(how: &str) -> open::Request {
    open::Request { type_name: thing(), config: sent(how), client_capabilities: None }
}

#[tokio::test]
async fn opened_renewed_and_closed() {
    let parts = Parts::default();
    let service = parts.service();
    let opened = service.open_ephemeral_resource(Request::new(request("well"))).await.unwrap().into_inner();
    assert_eq!(lines(&opened.diagnostics), [""; 0]);
    assert_eq!(received(opened.result), Value::object([("how", "well".into()), ("value", "v".into())]));
    assert_eq!(opened.renew_at.unwrap().seconds, 100);

    let request = renew::Request { type_name: thing(), private: opened.private.clone() };
    let renewed = service.renew_ephemeral_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((renewed.renew_at, &renewed.private), (None, &opened.private));
    let request = close::Request { type_name: thing(), private: opened.private };
    let closed = service.close_ephemeral_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(closed.diagnostics, []);
    assert_eq!(parts.said(), [r#"renew Some("well")"#, r#"close Some("well")"#]);
}

#[tokio::test]
async fn what_cannot_be_used_is_closed_again() {
    let bug = "error: The provider gave an invalid answer: This is a bug in the provider, please report it: ";
    for (how, expected) in [
        ("unknown", "`value` is still unknown."),
        ("wrong", "`value` must be string, not a bool."),
        ("null", "`open` gave no result."),
    ] {
        let parts = Parts::default();
        let opened =
            parts.service().open_ephemeral_resource(Request::new(request(how))).await.unwrap().into_inner();
        assert_eq!(lines(&opened.diagnostics), [format!("{bug}{expected}")]);
        assert_eq!((opened.result, parts.said()), (None, vec![format!("close Some({how:?})")]));
    }
}

#[tokio::test]
async fn what_is_configured_stays() {
    let parts = Parts::default();
    let opened = parts.service().open_ephemeral_resource(Request::new(request("other"))).await.unwrap();
    let lines = lines(&opened.into_inner().diagnostics);
    assert!(lines.len() == 1 && lines[0].contains("`how`"), "{lines:?}");
}

#[tokio::test]
async fn failures() {
    for (how, expected) in [
        ("fail", "error: no: Not today."),
        (
            "panic",
            "error: The provider crashed: This is a bug in the provider: `OpenEphemeralResource` panicked: out of \
             cheese. Please report it.",
        ),
        (
            "later",
            "error: This cannot be done yet: Part of the provider's configuration is known only after apply. Apply \
             what it depends on first, with -target, and then the rest.",
        ),
    ] {
        let opened = Parts::default().service().open_ephemeral_resource(Request::new(request(how))).await;
        assert_eq!(lines(&opened.unwrap().into_inner().diagnostics), [expected]);
    }
}

#[tokio::test]
async fn deferred_while_the_provider_waits() {
    let service = Parts::default().service();
    let config = sent_value(Value::object([("how", Value::Unknown)]));
    let configuration = configure_provider::Request { config, ..Default::default() };
    service.configure_provider(Request::new(configuration)).await.unwrap();
    let client_capabilities = Some(ClientCapabilities { deferral_allowed: true, ..Default::default() });
    let request = open::Request { client_capabilities, ..request("later") };
    let opened = service.open_ephemeral_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((opened.deferred.unwrap().reason, opened.diagnostics), (2, vec![]));
    assert!(received(opened.result).is_unknown());
}

#[tokio::test]
async fn configurations_are_checked_by_the_schema() {
    let request = validate::Request { type_name: thing(), config: sent("far too long to be any good") };
    let answer = Parts::default().service().validate_ephemeral_resource_config(Request::new(request)).await;
    let lines = lines(&answer.unwrap().into_inner().diagnostics);
    assert!(lines.len() == 1 && lines[0].contains("`how`"), "{lines:?}");
}
