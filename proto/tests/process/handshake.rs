//! How a provider and its client find each other.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tfplugin_rs::wire::go_plugin::{
    ConnInfo, grpc_broker_client::GrpcBrokerClient, grpc_stdio_client::GrpcStdioClient,
};
use tokio::process::Command;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    call,
    host::{COOKIE, Identity, Plugin, program},
};

/// Uses a provider as Terraform does, and ends it.
async fn use_and_end(plugin: Plugin, identity: Option<&Identity>) {
    let channel = plugin.connect(identity).await.unwrap();
    // Terraform opens this at once and keeps it open: it must not delay the end.
    let output = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap();
    let schema = call::schema(&channel).await.unwrap();
    assert_eq!(schema.resource_schemas.into_keys().collect::<Vec<_>>(), ["process_note"]);
    assert!(schema.server_capabilities.unwrap().plan_destroy);
    call::shut_down(&channel).await;
    let (socket, line) = (plugin.socket(), plugin.line.clone());
    let ended = plugin.end().await;
    assert_eq!(ended.code, Some(0), "by itself, not by its emergency exit: {}", ended.stderr);
    assert_eq!((ended.stdout, ended.stderr), (line, String::new()), "nothing but the handshake");
    assert!(!socket.exists());
    assert!(output.into_inner().message().await.map_or(true, |message| message.is_none()));
}

#[tokio::test]
async fn speaks_over_a_unix_socket() {
    let identity = Identity::new();
    let plugin = Plugin::start(&[COOKIE, ("PLUGIN_CLIENT_CERT", &identity.pem)]).await;
    assert!(plugin.line.starts_with("1|6|unix|/"), "{}", plugin.line);
    assert_eq!(plugin.line.matches('|').count(), 5);
    assert!(!plugin.field(5).contains('='), "go-plugin cannot read padding");
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
async fn answers_whatever_versions_are_asked_for() {
    // Who does not have version 6 can say so better than we.
    for versions in ["6", "5", "6,5", "5,6", "garbage", ""] {
        let plugin = Plugin::start(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", versions)]).await;
        assert!(plugin.line.starts_with("1|6|unix|"), "{versions}: {}", plugin.line);
        use_and_end(plugin, None).await;
    }
}

#[tokio::test]
async fn says_what_it_is_without_the_cookie() {
    for (environment, argument) in [(("ANOTHER", ""), ""), ((COOKIE.0, "another"), ""), (COOKIE, "--help")] {
        let mut command = Command::new(program());
        command.env_remove(COOKIE.0).env(environment.0, environment.1).arg(argument);
        let ended = Plugin::launch(&mut command).await.end().await;
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
async fn connections_come_and_go() {
    let plugin = Plugin::start(&[COOKIE]).await;
    drop(plugin.connect(None).await.unwrap());
    let (one, other) = (plugin.connect(None).await.unwrap(), plugin.connect(None).await.unwrap());
    let (one, other) = tokio::join!(call::schema(&one), call::schema(&other));
    assert_eq!(one.unwrap(), other.unwrap());
    use_and_end(plugin, None).await;
}

/// Other hosts than Terraform ask whether the plugin is well, and offer connections.
#[tokio::test]
async fn says_that_it_is_well_and_keeps_quiet_otherwise() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    let asked = HealthCheckRequest { service: "plugin".to_owned() };
    let health = HealthClient::new(channel.clone()).check(asked).await.unwrap().into_inner();
    assert_eq!(health.status(), ServingStatus::Serving);

    let offers = tokio_stream::iter([ConnInfo { service_id: 7, ..Default::default() }]);
    let mut answers = GrpcBrokerClient::new(channel.clone()).start_stream(offers).await.unwrap().into_inner();
    call::shut_down(&channel).await;
    assert_eq!(answers.message().await.unwrap_or_default(), None, "no echo, to the very end");
    assert_eq!(plugin.end().await.code, Some(0));
}
