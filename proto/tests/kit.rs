//! The test kit, used as other people's providers use it: on a program, from outside.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use tfplugin_rs::{
    Value,
    testing::{
        Moved, State,
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
    let host = || Host::new(example("files")).env("TF_LOG", "TRACE");
    for host in [host(), host().without_tls()] {
        let client = host.start().await.unwrap().client().await.unwrap();
        let schema = client.calls().get_provider_schema(get_provider_schema::Request {}).await.unwrap();
        assert!(schema.into_inner().provider.is_some());
        let handshake = client.plugin().handshake().unwrap();
        let ended = client.shutdown().await.unwrap();
        assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 1));
        assert!(ended.log.iter().all(LogLine::is_hclog), "{}", ended.stderr);
        assert!(ended.log.iter().any(|line| line.field("tf_rpc") == "GetProviderSchema"), "{}", ended.stderr);
        assert!(handshake.protocol == 6 && !PathBuf::from(handshake.address).exists());
    }
}

#[tokio::test]
async fn plays_terraform_over_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let client = Host::new(example("files")).start().await.unwrap().client().await.unwrap();
    let core = client.core();
    assert_eq!(core.schema_faults().await.unwrap(), [""; 0]);
    core.configure(Value::object([("root", folder.path().to_str().unwrap().into())])).await.unwrap();
    let config = |text: &str| Value::object([("path", "one".into()), ("content", text.into())]);

    let planned = core.plan("files_file", &State::default(), config("a b")).await.unwrap();
    assert_eq!(*planned.value.get("mode"), "0644".into());
    let state = core.apply("files_file", planned, config("a b")).await.unwrap();
    assert_eq!(*state.value.get("size"), 3_u64.into());
    assert!(core.plan("files_file", &state, config("a b")).await.unwrap().is_empty());
    assert_eq!(core.import("files_file", "one").await.unwrap(), state);
    let data = core.data("files_file", Value::object([("path", "one".into())])).await.unwrap();
    assert_eq!(*data.get("content"), "a b".into());

    std::fs::write(folder.path().join("one"), "changed").unwrap();
    let drifted = core.refresh("files_file", &state).await.unwrap();
    assert_eq!(*drifted.value.get("content"), "changed".into());
    let planned = core.plan("files_file", &drifted, Value::Null).await.unwrap();
    assert!(core.apply("files_file", planned, Value::Null).await.unwrap().value.is_null());
    assert!(!folder.path().join("one").exists());
    let refused =
        core.plan("files_file", &State::default(), config("x").with("path", "../b")).await.unwrap_err();
    assert_eq!(refused.iter().next().unwrap().attribute, Some("path".into()));
    client.shutdown().await.unwrap();
}

#[tokio::test]
async fn plays_with_every_kind_of_object() {
    let folder = tempfile::tempdir().unwrap();
    let client = Host::new(example("files")).start().await.unwrap().client().await.unwrap();
    let core = client.core();
    let object = |name: &str, value: &str| Value::object([(name, value.into())]);
    core.configure(object("root", folder.path().to_str().unwrap())).await.unwrap();
    let config = object("path", "page").with("content", "1");
    let planned = core.plan("files_file", &State::default(), config.clone()).await.unwrap();
    let state = core.apply("files_file", planned, config.clone()).await.unwrap();
    assert_eq!(state.identity, Some(object("path", "page")));
    let world = async || std::fs::write(folder.path().join("page"), "2").unwrap();
    core.replan_after("files_file", &state, config.with("content", "3"), world).await.unwrap();

    let imported = core.import_identity("files_file", object("path", "page")).await.unwrap();
    assert_eq!(imported.value.get("path"), &"page".into());
    let generated = core.generate_config("files_file", &imported).await.unwrap();
    assert_eq!((generated.get("path"), generated.get("sha256")), (&"page".into(), &Value::Null));
    let upgraded = core.upgrade_identity("files_file", 0, r#"{"path":"page"}"#).await.unwrap();
    assert_eq!(upgraded, object("path", "page"));
    let from = Moved {
        provider: "registry.terraform.io/hashicorp/local".to_owned(),
        type_name: "local_file".to_owned(),
        state: r#"{"filename":"page","content":"1","file_permission":"0600"}"#.to_owned(),
        ..Moved::default()
    };
    assert_eq!(core.move_to("files_file", from).await.unwrap().value.get("mode"), &"0600".into());
    assert!(core.move_to("files_file", Moved { state: "{}".to_owned(), ..Moved::default() }).await.is_err());

    assert_eq!(core.call("join", ["a".into(), "b".into()]).await, Ok("a/b".into()));
    let mut opened = core.open("files_temporary", object("content", "sesame")).await.unwrap();
    let file = PathBuf::from(opened.result.get("path").as_str().unwrap());
    core.renew(&mut opened).await.unwrap();
    assert!(file.exists());
    core.close(opened).await.unwrap();
    assert!(!file.exists());
    let touched = core.invoke("files_touch", Value::object([("paths", Value::list(["page".into()]))])).await;
    assert_eq!(touched, Ok(vec!["touched `page`".to_owned()]));
    let nothing = Value::object::<&str>([]);
    for (include, limit, count) in [(false, None, 1), (true, Some(1), 1)] {
        let found = core.list("files_file", nothing.clone(), include, limit).await.unwrap();
        assert_eq!((found.len(), found[0].resource.is_some()), (count, include));
        assert_eq!((&*found[0].display_name, &found[0].identity), ("page", &state.identity));
    }
    core.stop().await.unwrap();
    client.shutdown().await.unwrap();
}

/// An interrupted Terraform closes nothing, so what a provider holds goes when it is dropped, before the process ends.
#[tokio::test]
async fn what_a_provider_holds_goes_with_the_process() {
    let client = Host::new(example("files")).start().await.unwrap().client().await.unwrap();
    let config = Value::object([("content", Value::from("sesame"))]);
    let opened = client.core().open("files_temporary", config).await.unwrap();
    let file = PathBuf::from(opened.result.get("path").as_str().unwrap());
    assert!(file.exists());
    let ended = client.shutdown().await.unwrap();
    assert_eq!(ended.code, Some(0));
    assert!(!file.exists());
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let plugin = Host::new(example("files")).start().await.unwrap();
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
    let refused = Host::new(example("files")).env_remove(COOKIE.0).start().await.unwrap();
    let error = refused.handshake().unwrap_err();
    assert!(error.to_string().contains("has fewer than five fields"), "{error}");
    let ended = refused.end().await.unwrap();
    assert!(ended.code == Some(1) && ended.stderr.starts_with("This program is a provider"));

    let chatty = Host::new("echo").arg("hello|world").start().await.unwrap();
    assert!(matches!(chatty.connect().await.unwrap_err(), HostError::Handshake { .. }));
    let missing = Host::new("/nowhere/at/all").start().await.unwrap_err();
    assert_eq!(missing.to_string(), "cannot run `/nowhere/at/all`");
}

/// A provider for files in a folder that is not the workspace.
fn files(cli: &Cli, folder: &Path) -> String {
    format!(
        r#"
        terraform {{
          required_providers {{
            files = {{ source = "example.com/tfplugin/files" }}
          }}
        }}
        provider "files" {{
          root = "{}"
        }}
        resource "files_file" "one" {{
          path    = "one"
          content = "for {cli}"
        }}
        output "text" {{
          value = files_file.one.content
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
        let (address, program) = ("example.com/tfplugin/files", example("files"));
        let workspace = Workspace::new(&cli).unwrap().overriding(address, program).unwrap();
        workspace.write("main.tf", &files(&cli, folder.path())).unwrap();
        workspace.init(&[]).unwrap();
        workspace.validate().unwrap();

        let plan = workspace.plan(&[]).unwrap();
        let change = plan.change("files_file.one").unwrap();
        assert_eq!((change.does, plan.is_empty()), (Does::Create, false));
        assert!(plan.run.calls.contains("PlanResourceChange"), "{:?}", plan.run.calls);
        assert!(!plan.run.calls.contains("ApplyResourceChange"));
        let applied = workspace.apply_plan(&plan).unwrap();
        assert!(applied.calls.contains("ApplyResourceChange"), "{:?}", applied.calls);
        assert!(workspace.plan(&[]).unwrap().is_empty());

        assert_eq!(workspace.output("text").unwrap(), format!("for {cli}"));
        assert_eq!(workspace.attributes("files_file.one").unwrap()["path"], "one");
        assert!(workspace.attributes("files_file.two").unwrap().is_null());
        assert!(!workspace.schema().unwrap()["provider_schemas"][address].is_null());
        workspace.state(&["rm", "files_file.one"]).unwrap();
        workspace.import("files_file.one", "one").unwrap();
        let replaced = workspace.plan(&["-replace=files_file.one"]).unwrap();
        assert_eq!(replaced.change("files_file.one").unwrap().does, Does::Replace);
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
        let workspace = workspace.releasing("example.com/tfplugin/files", "1.2.3", example("files")).unwrap();
        workspace.write("main.tf", &files(&cli, folder.path())).unwrap();
        workspace.init(&[]).unwrap();
        let lock = std::fs::read_to_string(workspace.folder().join(".terraform.lock.hcl")).unwrap();
        assert!(lock.contains("\"example.com/tfplugin/files\"") && lock.contains("1.2.3"), "{lock}");
        workspace.apply(&[]).unwrap();
        workspace.destroy(&[]).unwrap();
    }
}
