//! The test kit, used as other people's providers use it: on a program, from outside.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use tfplugin_rs::{
    Value,
    testing::{
        State,
        cli::{Cli, Does, Workspace, provider_bugs},
        wire::{COOKIE, Host, HostError, Identity, LogLine},
    },
    wire::tfplugin6::get_provider_schema,
};

/// An example, which cargo builds beside the tests.
fn example(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples").join(name)
}

#[tokio::test]
async fn starts_uses_and_ends_a_provider() {
    for host in [Host::new(example("notes")), Host::new(example("notes")).without_tls()] {
        let client = host.start().await.unwrap().client().await.unwrap();
        let schema = client.calls().get_provider_schema(get_provider_schema::Request {}).await.unwrap();
        assert!(schema.into_inner().provider.is_some());
        let handshake = client.plugin().handshake().unwrap();
        let ended = client.shutdown().await.unwrap();
        assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 1));
        assert!(ended.log.iter().all(LogLine::is_hclog), "{}", ended.stderr);
        assert_eq!(ended.log.last().unwrap().field("tf_rpc"), "get_provider_schema");
        assert!(handshake.protocol == 6 && !PathBuf::from(handshake.address).exists());
    }
}

#[tokio::test]
async fn plays_terraform_over_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let client = Host::new(example("notes")).start().await.unwrap().client().await.unwrap();
    let core = client.core();
    assert_eq!(core.schema_faults().await.unwrap(), [""; 0]);
    core.configure(Value::object([("folder", folder.path().to_str().unwrap().into())])).await.unwrap();
    let config = |text: &str| Value::object([("name", "one".into()), ("text", text.into())]);

    let planned = core.plan("notes_note", &State::default(), config("a b")).await.unwrap();
    assert!(planned.value.get("words").is_unknown());
    let state = core.apply("notes_note", planned, config("a b")).await.unwrap();
    assert_eq!(*state.value.get("words"), 2_u64.into());
    assert!(core.plan("notes_note", &state, config("a b")).await.unwrap().is_empty());
    assert_eq!(core.import("notes_note", "one").await.unwrap(), state);
    let data = core.data("notes_note", Value::object([("name", "one".into())])).await.unwrap();
    assert_eq!(*data.get("text"), "a b".into());

    std::fs::write(folder.path().join("one"), "changed").unwrap();
    let drifted = core.refresh("notes_note", &state).await.unwrap();
    assert_eq!(*drifted.value.get("text"), "changed".into());
    let planned = core.plan("notes_note", &drifted, Value::Null).await.unwrap();
    assert!(core.apply("notes_note", planned, Value::Null).await.unwrap().value.is_null());
    assert!(!folder.path().join("one").exists());
    let refused =
        core.plan("notes_note", &State::default(), config("x").with("name", "a/b")).await.unwrap_err();
    assert_eq!(refused.iter().next().unwrap().attribute, Some("name".into()));
    client.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let plugin = Host::new(example("notes")).start().await.unwrap();
    for stranger in [None, Some(Identity::new().unwrap())] {
        if let Ok(channel) = plugin.connect_as(stranger.as_ref()).await {
            let mut calls = tfplugin_rs::wire::tfplugin6::provider_client::ProviderClient::new(channel);
            assert!(calls.get_provider_schema(get_provider_schema::Request {}).await.is_err());
        }
    }
    plugin.client().await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn what_is_no_provider_is_told_apart() {
    let refused = Host::new(example("notes")).env_remove(COOKIE.0).start().await.unwrap();
    let error = refused.handshake().unwrap_err();
    assert!(error.to_string().contains("has fewer than five fields"), "{error}");
    let ended = refused.end().await.unwrap();
    assert!(ended.code == Some(1) && ended.stderr.starts_with("This program is a provider"));

    let chatty = Host::new("echo").arg("hello|world").start().await.unwrap();
    assert!(matches!(chatty.connect().await.unwrap_err(), HostError::Handshake { .. }));
    let missing = Host::new("/nowhere/at/all").start().await.unwrap_err();
    assert_eq!(missing.to_string(), "cannot run `/nowhere/at/all`");
}

/// A provider for notes in a folder that is not the workspace.
fn notes(cli: &Cli, folder: &Path) -> String {
    format!(
        r#"
        terraform {{
          required_providers {{
            notes = {{ source = "example.com/tfplugin/notes" }}
          }}
        }}
        provider "notes" {{
          folder = "{}"
        }}
        resource "notes_note" "one" {{
          name = "one"
          text = "for {cli}"
        }}
        output "text" {{
          value = notes_note.one.text
        }}
        "#,
        folder.display()
    )
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn drives_a_cli_through_a_life() {
    for cli in Cli::all().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let (address, program) = ("example.com/tfplugin/notes", example("notes"));
        let workspace = Workspace::new(&cli).unwrap().overriding(address, program).unwrap();
        workspace.write("main.tf", &notes(&cli, folder.path())).unwrap();
        workspace.init(&[]).unwrap();
        workspace.validate().unwrap();

        let plan = workspace.plan(&[]).unwrap();
        let change = plan.change("notes_note.one").unwrap();
        assert_eq!((change.does, plan.is_empty()), (Does::Create, false));
        assert!(plan.run.calls.contains("plan_resource_change"), "{:?}", plan.run.calls);
        assert!(!plan.run.calls.contains("apply_resource_change"));
        let applied = workspace.apply_plan(&plan).unwrap();
        assert!(applied.calls.contains("apply_resource_change"), "{:?}", applied.calls);
        assert!(workspace.plan(&[]).unwrap().is_empty());

        assert_eq!(workspace.output("text").unwrap(), format!("for {cli}"));
        assert_eq!(workspace.attributes("notes_note.one").unwrap()["name"], "one");
        assert!(workspace.attributes("notes_note.two").unwrap().is_null());
        assert!(!workspace.schema().unwrap()["provider_schemas"][address].is_null());
        workspace.state(&["rm", "notes_note.one"]).unwrap();
        workspace.import("notes_note.one", "one").unwrap();
        let replaced = workspace.plan(&["-replace=notes_note.one"]).unwrap();
        assert_eq!(replaced.change("notes_note.one").unwrap().does, Does::Replace);
        workspace.destroy(&[]).unwrap();
        assert_eq!(workspace.state(&["list"]).unwrap().stdout, "");
        let failed = workspace.run(&["apply", "-no-color", "nonsense"]).unwrap();
        assert_eq!((failed.succeeded(), provider_bugs(&failed.output()).len()), (false, 0));
    }
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn installs_a_release_as_users_do() {
    for cli in Cli::all().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(&cli).unwrap();
        let workspace = workspace.releasing("example.com/tfplugin/notes", "1.2.3", example("notes")).unwrap();
        workspace.write("main.tf", &notes(&cli, folder.path())).unwrap();
        workspace.init(&[]).unwrap();
        let lock = std::fs::read_to_string(workspace.folder().join(".terraform.lock.hcl")).unwrap();
        assert!(lock.contains("\"example.com/tfplugin/notes\"") && lock.contains("1.2.3"), "{lock}");
        workspace.apply(&[]).unwrap();
        workspace.destroy(&[]).unwrap();
    }
}
