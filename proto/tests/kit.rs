//! The test kit, used as other people's providers use it: on a program, from outside.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::PathBuf;

use tfplugin_rs::{
    testing::wire::{COOKIE, Host, HostError, Identity, LogLine},
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
