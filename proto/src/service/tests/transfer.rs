//! States and identities of other forms.

use tonic::Request;

use super::parts::{Parts, lines, received, sent_value};
use crate::{
    Private, Type, Value,
    service::codec,
    wire::tfplugin6::{
        RawState, ResourceIdentityData, generate_resource_config as generate,
        import_resource_state as import, move_resource_state as moved, provider_server::Provider as _,
        read_resource, upgrade_resource_identity, upgrade_resource_state,
    },
};

fn raw(json: &str) -> Option<RawState> {
    Some(RawState { json: json.as_bytes().to_vec(), ..RawState::default() })
}

fn id(sent: Option<ResourceIdentityData>) -> Value {
    let kind = Type::object([("id", Type::String)]);
    codec::decode(sent.and_then(|sent| sent.identity_data), &kind).unwrap().get("id").clone()
}

fn move_request(source_type_name: &str, json: &str) -> moved::Request {
    let mut private = Private::default();
    private.set("moved", "along").unwrap();
    moved::Request {
        source_provider_address: "registry.terraform.io/example/stuff".to_owned(),
        source_type_name: source_type_name.to_owned(),
        source_schema_version: 3,
        source_state: raw(json),
        target_type_name: "thing".to_owned(),
        source_private: private.encode(),
        source_identity: raw(r#"{"id":"i-1"}"#),
        source_identity_schema_version: 0,
    }
}

#[tokio::test]
async fn a_state_moves_in() {
    let parts = Parts::default();
    let request = move_request("stuff", r#"{"id":"i-1","more":[1,2]}"#);
    let answer = parts.service().move_resource_state(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(lines(&answer.diagnostics), [""; 0]);
    assert_eq!(received(answer.target_state), Value::object([("how", Value::Null), ("value", "i-1".into())]));
    assert_eq!(id(answer.target_identity), "i-1".into());
    assert_eq!(parts.said(), [r#"private Some("along"), identity Some(Object {"id": String("i-1")})"#]);
}

#[tokio::test]
async fn strangers_do_not() {
    let stranger = "error: `other` cannot become `thing`: The state of a `other` of \
                    registry.terraform.io/example/stuff, version 3, is none that this resource takes over. Import it \
                    instead, and remove the old one from the state.";
    for (request, expected) in [
        (move_request("other", r#"{"id":"i-1"}"#), stranger),
        (
            move_request("stuff", "{"),
            "error: The state of the resource is damaged: EOF while parsing an object at line 1 column 1",
        ),
        (
            move_request("stuff", ""),
            "error: The client's message is incomplete: It sent no state. Terraform and OpenTofu always do.",
        ),
    ] {
        let answer = Parts::default().service().move_resource_state(Request::new(request)).await;
        assert_eq!(lines(&answer.unwrap().into_inner().diagnostics), [expected]);
    }
}

#[tokio::test]
async fn states_of_older_and_newer_versions() {
    let flatmap = RawState { flatmap: [("how".to_owned(), "x".to_owned())].into(), ..RawState::default() };
    let newer = "error: The state was written by a newer provider: The state of a `thing` has version 3, and this \
                 version of the provider knows 2 at most. Use the provider that wrote it, or a newer one.";
    let cases = [
        (2, raw(r#"{"how":"x","value":"v"}"#), None),
        (0, raw(r#"{"how":"x","old":true}"#), None),
        (3, raw("{}"), Some(newer)),
        (
            2,
            raw("null"),
            Some(
                "error: The provider gave an invalid answer: This is a bug in the provider, please report it: `upgrade` gave no result.",
            ),
        ),
        (
            0,
            Some(flatmap),
            Some(
                "error: The state has a form that is no longer read: It was written by Terraform 0.11 or older. \
                  Apply once with Terraform 0.12 first.",
            ),
        ),
        (
            2,
            None,
            Some(
                "error: The client's message is incomplete: It sent no state. Terraform and OpenTofu always do.",
            ),
        ),
    ];
    for (version, raw_state, expected) in cases {
        let request = upgrade_resource_state::Request { type_name: "thing".to_owned(), version, raw_state };
        let answer = Parts::default()
            .service()
            .upgrade_resource_state(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            lines(&answer.diagnostics),
            expected.map(ToOwned::to_owned).into_iter().collect::<Vec<_>>()
        );
        if expected.is_none() {
            assert_eq!(*received(answer.upgraded_state).get("how"), "x".into());
        }
    }
}

#[tokio::test]
async fn identities_of_older_versions() {
    for (version, json, expected) in [(0, r#"{"name":"i-1"}"#, "i-1"), (1, r#"{"id":"i-2"}"#, "i-2")] {
        let (type_name, raw_identity) = ("thing".to_owned(), raw(json));
        let request = upgrade_resource_identity::Request { type_name, version, raw_identity };
        let answer = Parts::default().service().upgrade_resource_identity(Request::new(request)).await;
        assert_eq!(id(answer.unwrap().into_inner().upgraded_identity), expected.into());
    }
    let (type_name, raw_identity) = ("thing".to_owned(), raw("{}"));
    let request = upgrade_resource_identity::Request { type_name, version: 2, raw_identity };
    let answer = Parts::default().service().upgrade_resource_identity(Request::new(request)).await.unwrap();
    assert!(
        lines(&answer.into_inner().diagnostics)[0]
            .starts_with("error: The state was written by a newer provider")
    );
}

#[tokio::test]
async fn imports_by_name_and_by_identity() {
    let bug = "error: The provider gave an invalid answer: This is a bug in the provider, please report it: ";
    let by_identity = |name: &str| {
        let identity = Value::object([("id", name.into())]);
        import::Request {
            type_name: "thing".to_owned(),
            identity: Some(ResourceIdentityData { identity_data: Some(codec::encode(&identity)) }),
            ..Default::default()
        }
    };
    let by_id =
        |id: &str| import::Request { type_name: "thing".to_owned(), id: id.to_owned(), ..Default::default() };
    for (request, expected) in [
        (by_id("i-1"), Ok(Value::Null)),
        (by_identity("i-2"), Ok("i-2".into())),
        (by_identity("nameless"), Err(format!("{bug}it imported by identity and gave none back."))),
        (by_id("null"), Err(format!("{bug}`import` gave no result."))),
        (by_id("unknown"), Err(format!("{bug}`value` is still unknown."))),
        (by_id("fail"), Err("error: no: Not today.".to_owned())),
    ] {
        let answer = Parts::default()
            .service()
            .import_resource_state(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        match expected {
            Ok(identity) => {
                let [imported] = &answer.imported_resources[..] else { panic!("{:?}", answer.diagnostics) };
                assert_eq!(id(imported.identity.clone()), identity);
                assert_eq!(*received(imported.state.clone()).get("value"), "v".into());
            }
            Err(expected) => assert_eq!(lines(&answer.diagnostics), [expected]),
        }
    }
}

#[tokio::test]
async fn an_identity_is_for_ever() {
    let identity = codec::encode(&Value::object([("id", "i-1".into())]));
    let bug = "error: The provider gave an invalid answer: This is a bug in the provider, please report it: ";
    let changed = format!("{bug}`id` is a part of the identity and cannot change.");
    for (how, expected) in [("well", vec![]), ("renamed", vec![changed])] {
        let request = read_resource::Request {
            type_name: "thing".to_owned(),
            current_state: sent_value(Value::object([("how", how.into())])),
            current_identity: Some(ResourceIdentityData { identity_data: Some(identity.clone()) }),
            ..Default::default()
        };
        let answer =
            Parts::default().service().read_resource(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(lines(&answer.diagnostics), expected);
        assert_eq!(answer.new_identity.is_none(), answer.diagnostics.len() == 1);
    }
}

#[tokio::test]
async fn a_configuration_is_written_for_a_state() {
    let state = sent_value(Value::object([("how", "well".into()), ("value", "v".into())]));
    let request = generate::Request { type_name: "thing".to_owned(), state };
    let answer = Parts::default()
        .service()
        .generate_resource_config(Request::new(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(received(answer.config), Value::object([("how", "well".into()), ("value", Value::Null)]));
}
