//! Actions.

use tokio_stream::StreamExt as _;
use tonic::Request;

use super::parts::{Parts, lines, sent};
use crate::wire::tfplugin6::{
    ClientCapabilities,
    invoke_action::{self, event::Type},
    plan_action,
    provider_server::Provider as _,
    validate_action_config,
};

#[tokio::test]
async fn progress_and_then_one_end() {
    let crashed = "error: The provider crashed: This is a bug in the provider: `InvokeAction` panicked: out of cheese. \
                   Please report it.";
    for (how, expected) in [
        ("", vec!["begun", "done", "end: warning: dusty"]),
        ("fail", vec!["begun", "end: warning: dusty error: no: Not today."]),
        ("panic", vec!["begun", &format!("end: warning: dusty {crashed}")]),
    ] {
        let request = invoke_action::Request {
            action_type: "thing".to_owned(),
            config: sent(how),
            ..Default::default()
        };
        let events =
            Parts::default().service().invoke_action(Request::new(request)).await.unwrap().into_inner();
        let events: Vec<_> = events.map(|event| shown(event.unwrap())).collect().await;
        assert_eq!(events, expected, "{how}");
    }
}

fn shown(event: invoke_action::Event) -> String {
    match event.r#type.unwrap() {
        Type::Progress(progress) => progress.message,
        Type::Completed(completed) => format!("end: {}", lines(&completed.diagnostics).join(" ")),
    }
}

#[tokio::test]
async fn an_unknown_action_ends_at_once() {
    let request = invoke_action::Request { action_type: "gone".to_owned(), ..Default::default() };
    let events = Parts::default().service().invoke_action(Request::new(request)).await.unwrap().into_inner();
    let events: Vec<_> = events.map(|event| shown(event.unwrap())).collect().await;
    assert_eq!(events, ["end: error: This version of the provider has no action `gone`"]);
}

#[tokio::test]
async fn plans() {
    let bug = "error: The provider gave an invalid answer: This is a bug in the provider, please report it: it waits";
    let not_yet = "error: This cannot be done yet: Part of the provider's configuration is known only after apply. \
                   Apply what it depends on first, with -target, and then the rest.";
    for (how, deferral_allowed, expected) in [
        ("", false, vec![]),
        ("fail", false, vec!["error: no: Not today."]),
        ("later", false, vec![not_yet]),
        ("later", true, vec![&*format!("{bug} (ProviderConfigUnknown) for nothing.")]),
        ("absent", true, vec![&*format!("{bug} (AbsentPrerequisite) for nothing.")]),
    ] {
        let client_capabilities = Some(ClientCapabilities { deferral_allowed, ..Default::default() });
        let request =
            plan_action::Request { action_type: "thing".to_owned(), config: sent(how), client_capabilities };
        let answer =
            Parts::default().service().plan_action(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(lines(&answer.diagnostics), expected);
        assert_eq!(answer.deferred, None);
    }
}

#[tokio::test]
async fn configurations_are_checked() {
    let config = sent("far too long to be any good");
    let request = validate_action_config::Request { type_name: "thing".to_owned(), config };
    let answer = Parts::default().service().validate_action_config(Request::new(request)).await;
    assert_eq!(answer.unwrap().into_inner().diagnostics.len(), 1);
}
