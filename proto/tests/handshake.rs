//! A provider process from its start to its end, seen from where Terraform stands.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod host;

use std::{fs, os::unix::fs::PermissionsExt as _};

use rustix::process::{Signal, kill_process};
use tfplugin_rs::{
    Type, Value,
    wire::{
        go_plugin::{self, grpc_controller_client::GrpcControllerClient, grpc_stdio_client::GrpcStdioClient},
        tfplugin6::{self, DynamicValue, provider_client::ProviderClient},
    },
};
use tonic::{Code, transport::Channel};

use host::{COOKIE, Identity, Plugin};

async fn schema(channel: Channel) -> Result<tfplugin6::get_provider_schema::Response, tonic::Status> {
    let request = tfplugin6::get_provider_schema::Request {};
    ProviderClient::new(channel).get_provider_schema(request).await.map(tonic::Response::into_inner)
}

/// Uses a provider as Terraform does, and ends it.
async fn use_and_end(plugin: Plugin, identity: Option<&Identity>) {
    let channel = plugin.connect(identity).await.unwrap();
    // Terraform opens this at once and keeps it open: it must not delay the end.
    let output = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap();
    let schema = schema(channel.clone()).await.unwrap();
    assert_eq!(schema.resource_schemas.into_keys().collect::<Vec<_>>(), ["notes_note"]);
    assert!(schema.server_capabilities.unwrap().plan_destroy);

    GrpcControllerClient::new(channel).shutdown(go_plugin::Empty {}).await.unwrap();
    let (socket, line) = (plugin.socket(), plugin.line.clone());
    let ended = plugin.end().await;
    assert_eq!(ended.code, Some(0), "by itself, not by its emergency exit: {}", ended.stderr);
    assert_eq!(ended.stdout, line, "nothing but the handshake");
    assert!(!socket.exists());
    assert!(output.into_inner().message().await.map_or(true, |message| message.is_none()));
    for line in ended.stderr.lines() {
        let log: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(log["@level"].is_string() && log["@message"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn speaks_over_a_unix_socket() {
    let identity = Identity::new();
    let plugin = Plugin::start(&[COOKIE, ("PLUGIN_CLIENT_CERT", &identity.pem)]).await;
    assert!(plugin.line.starts_with("1|6|unix|/"), "{}", plugin.line);
    assert_eq!(plugin.line.matches('|').count(), 5);
    assert!(!plugin.field(5).contains('='), "go-plugin cannot read padding");
    let mode = fs::metadata(plugin.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    use_and_end(plugin, Some(&identity)).await;
}

#[tokio::test]
async fn speaks_over_a_port_where_a_socket_cannot_be() {
    let identity = Identity::new();
    let folder = format!("/tmp/{}", "long".repeat(30));
    for environment in [("TMPDIR", "/nowhere/at/all"), ("PLUGIN_UNIX_SOCKET_DIR", &folder)] {
        let plugin = Plugin::start(&[COOKIE, ("PLUGIN_CLIENT_CERT", &identity.pem), environment]).await;
        let port: u16 = plugin.field(3).strip_prefix("127.0.0.1:").unwrap().parse().unwrap();
        assert!((10_000..=25_000).contains(&port));
        use_and_end(plugin, Some(&identity)).await;
    }
}

#[tokio::test]
async fn speaks_without_tls_if_terraform_does() {
    let plugin = Plugin::start(&[COOKIE]).await;
    assert_eq!(plugin.field(5), "");
    use_and_end(plugin, None).await;
}

#[tokio::test]
async fn honours_folder_group_and_multiplexing() {
    let folder = tempfile::tempdir().unwrap();
    let group = rustix::process::getgid().as_raw().to_string();
    let folder_name = folder.path().to_str().unwrap();
    let plugin = Plugin::start(&[
        COOKIE,
        ("PLUGIN_UNIX_SOCKET_DIR", folder_name),
        ("PLUGIN_UNIX_SOCKET_GROUP", &group),
        ("PLUGIN_MULTIPLEX_GRPC", "true"),
    ])
    .await;
    assert_eq!((plugin.field(6), plugin.socket().parent()), ("false", Some(folder.path())));
    assert_eq!(fs::metadata(plugin.socket()).unwrap().permissions().mode() & 0o777, 0o660);
    use_and_end(plugin, None).await;
}

#[tokio::test]
async fn lets_nobody_else_in() {
    let identity = Identity::new();
    let plugin = Plugin::start(&[COOKIE, ("PLUGIN_CLIENT_CERT", &identity.pem)]).await;
    for stranger in [None, Some(Identity::new())] {
        // With TLS 1.3 a client learns only at its first call that it was refused.
        match plugin.connect(stranger.as_ref()).await {
            Ok(channel) => assert!(schema(channel).await.is_err()),
            Err(refused) => assert!(!refused.to_string().is_empty()),
        }
    }
    use_and_end(plugin, Some(&identity)).await;
}

#[tokio::test]
async fn says_what_it_is_without_the_cookie() {
    for environment in [&[][..], &[(COOKIE.0, "another")]] {
        let ended = Plugin::start(environment).await.end().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(ended.stderr.starts_with("This program is a provider for Terraform"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_failed_start_is_shown_to_the_user() {
    let ended = Plugin::start(&[COOKIE, ("PLUGIN_CLIENT_CERT", "garbage")]).await.end().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let shown = ended.stderr.lines().any(|line| line.starts_with("panic: the provider cannot start: "));
    assert!(shown, "{}", ended.stderr);
}

#[tokio::test]
async fn interrupts_are_ignored_and_termination_is_not() {
    let plugin = Plugin::start(&[COOKIE]).await;
    kill_process(plugin.process(), Signal::INT).unwrap();
    schema(plugin.connect(None).await.unwrap()).await.unwrap();
    let socket = plugin.socket();
    kill_process(plugin.process(), Signal::TERM).unwrap();
    assert_eq!(plugin.end().await.code, Some(143));
    assert!(!socket.exists());
}

#[tokio::test]
async fn connections_come_and_go() {
    let plugin = Plugin::start(&[COOKIE]).await;
    drop(plugin.connect(None).await.unwrap());
    let (one, other) = (plugin.connect(None).await.unwrap(), plugin.connect(None).await.unwrap());
    let (one, other) = tokio::join!(schema(one), schema(other));
    assert_eq!(one.unwrap(), other.unwrap());
    use_and_end(plugin, None).await;
}

#[tokio::test]
async fn takes_big_values_and_declines_what_it_does_not_know() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let mut client = ProviderClient::new(plugin.connect(None).await.unwrap());
    let kind = Type::object(["name", "text", "password"].map(|name| (name, Type::String)));
    let config = Value::object([
        ("name", "n".into()),
        ("text", "x".repeat(12 << 20).into()),
        ("password", "p".into()),
    ]);
    let request = tfplugin6::validate_resource_config::Request {
        type_name: "notes_note".to_owned(),
        config: Some(DynamicValue { msgpack: config.to_msgpack(&kind).unwrap(), json: Vec::new() }),
        client_capabilities: None,
    };
    let answer = client.validate_resource_config(request).await.unwrap().into_inner();
    let summaries: Vec<_> = answer.diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect();
    assert_eq!(summaries, ["Write-only arguments need a newer client"]);

    let unknown = client.get_functions(tfplugin6::get_functions::Request {}).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    use_and_end(plugin, None).await;
}
