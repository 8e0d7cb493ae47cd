//! Searches.

use tokio_stream::StreamExt as _;
use tonic::Request;

use super::parts::{Parts, lines, received, sent};
use crate::{
    Type, Value,
    service::codec,
    wire::tfplugin6::{list_resource as list, provider_server::Provider as _, validate_list_resource_config},
};

fn request(how: &str, limit: i64) -> Request<list::Request> {
    let (type_name, config) = ("thing".to_owned(), sent(how));
    Request::new(list::Request { type_name, config, include_resource_object: false, limit })
}

async fn events(parts: &Parts, request: Request<list::Request>) -> Vec<list::Event> {
    let events = parts.service().list_resource(request).await.unwrap().into_inner();
    events.map(Result::unwrap).collect().await
}

/// An event in a line.
fn shown(event: &list::Event) -> String {
    let kind = Type::object([("id", Type::String)]);
    let identity = event.identity.clone().map(|sent| codec::decode(sent.identity_data, &kind).unwrap());
    let id = identity.map(|identity| identity.get("id").as_str().unwrap().to_owned());
    let whole = if event.resource_object.is_some() { " whole" } else { "" };
    format!("{} {}{whole}{}", id.unwrap_or_default(), event.display_name, lines(&event.diagnostic).join(" "))
}

#[tokio::test]
async fn what_is_found_arrives() {
    let bug =
        " error: The provider gave an invalid answer: This is a bug in the provider, please report it: ";
    let crashed = " error: The provider crashed: This is a bug in the provider: `ListResource` panicked: out of cheese. \
                   Please report it.";
    for (how, limit, expected) in [
        ("", 0, vec!["i-1 thing 1", "i-2 thing 2", "i-3 thing 3"]),
        ("", 2, vec!["i-1 thing 1", "i-2 thing 2"]),
        ("endless", 2, vec!["i-1 thing 1", "i-2 thing 2"]),
        ("warn", 1, vec![" warning: slow", "i-1 thing 1"]),
        ("fail", 9, vec!["i-1 thing 1", " error: no: Not today."]),
        ("panic", 9, vec!["i-1 thing 1", crashed]),
        ("nameless", 9, vec![&format!("{bug}something was found that has no identity.")]),
    ] {
        let found: Vec<_> = events(&Parts::default(), request(how, limit)).await.iter().map(shown).collect();
        assert_eq!(found, expected, "{how}");
    }
}

#[tokio::test]
async fn whole_resources_come_if_asked_for() {
    let mut request = request("", 1);
    request.get_mut().include_resource_object = true;
    let found = events(&Parts::default(), request).await;
    assert_eq!(*received(found[0].resource_object.clone()).get("value"), Value::from("v"));
}

#[tokio::test]
async fn a_client_that_goes_ends_the_search() {
    let parts = Parts::default();
    let mut events = parts.service().list_resource(request("endless", 0)).await.unwrap().into_inner();
    assert!(events.next().await.unwrap().is_ok());
    drop(events);
    while parts.said().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(parts.said(), ["enough"]);
}

#[tokio::test]
async fn searches_are_checked() {
    let request = validate_list_resource_config::Request {
        type_name: "thing".to_owned(),
        config: sent("far too long to be any good"),
        limit: Some(codec::encode(&10_i64.into())),
        include_resource_object: Some(codec::encode(&Value::Unknown)),
    };
    let answer = Parts::default().service().validate_list_resource_config(Request::new(request)).await;
    assert_eq!(answer.unwrap().into_inner().diagnostics.len(), 1);
}
