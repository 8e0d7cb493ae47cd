//! The provider's schema as the CLIs print it: one golden file, of which older programs leave parts out.

use std::path::PathBuf;

use serde_json::Value;
use tfplugin_rs::testing::{
    cli::{Cli, Flavour},
    document,
    wire::Host,
};
use tfplugin_rs::wire::tfplugin6::{get_provider_schema, get_resource_identity_schemas};

use crate::golden;
use crate::stage::{ADDRESS, every_cli, provider};

/// What older programs do not print, and since when each prints it, if it does.
const NEWER: [(&str, Since, Since); 7] = [
    ("ephemeral_resource_schemas", Some((1, 10)), Some((1, 11))),
    ("write_only", Some((1, 11)), Some((1, 11))),
    ("resource_identity_schemas", Some((1, 12)), Some((1, 12))),
    ("list_resource_schemas", Some((1, 14)), None),
    ("action_schemas", Some((1, 14)), None),
    ("state_store_schemas", Some((1, 15)), None),
    ("deprecation_message", Some((1, 15)), Some((1, 12))),
];

type Since = Option<(u32, u32)>;

/// The golden file.
pub(crate) fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/files/schema.json")
}

/// What the provider itself says, in the form of `providers schema -json`.
pub(crate) async fn schema() -> Value {
    let client = Host::new(provider()).start().await.unwrap().client().await.unwrap();
    let mut calls = client.calls();
    let schema = calls.get_provider_schema(get_provider_schema::Request {}).await.unwrap();
    let identities =
        calls.get_resource_identity_schemas(get_resource_identity_schemas::Request {}).await.unwrap();
    client.shutdown().await.unwrap();
    document(ADDRESS, schema.get_ref(), identities.into_inner().identity_schemas)
}

#[tokio::test]
async fn is_the_golden_one() {
    golden::check(&file(), &pretty(&schema().await));
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn is_what_every_cli_prints() {
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap();
    every_cli(|stage| {
        stage.write("");
        let printed = without_empty(stage.workspace().schema().unwrap());
        assert_eq!(pretty(&known_to(stage.workspace().cli(), golden.clone())), pretty(&printed));
    });
}

/// The part of a schema that a program prints.
fn known_to(cli: &Cli, value: Value) -> Value {
    let knows = |key: &str| {
        let newer = NEWER.iter().find(|(name, ..)| *name == key);
        newer.is_none_or(|(_, terraform, opentofu)| {
            let since = if cli.flavour() == Flavour::OpenTofu { opentofu } else { terraform };
            since.is_some_and(|(major, minor)| cli.version() >= (major, minor, 0))
        })
    };
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(key, _)| knows(key));
            Value::Object(kept.map(|(key, member)| (key, known_to(cli, member))).collect())
        }
        other => other,
    }
}

/// Without the kinds that the provider has none of: some programs print them, some do not.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, member)| (key, without_empty(member)));
            Value::Object(
                members.filter(|(_, member)| member.as_object().is_none_or(|all| !all.is_empty())).collect(),
            )
        }
        other => other,
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}
