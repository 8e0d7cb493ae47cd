//! Only the client whose certificate was announced gets in.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use rustix::process::geteuid;
use tonic::transport::Channel;

use crate::{
    call,
    host::{self, COOKIE, Identity, Plugin},
};

/// With TLS 1.3 a client learns only at its first call that it was refused.
async fn refused(channel: Result<Channel, tonic::transport::Error>) -> bool {
    match channel {
        Ok(channel) => call::schema(&channel).await.is_err(),
        Err(_) => true,
    }
}

#[tokio::test]
async fn strangers_are_refused_and_the_client_is_not() {
    let identity = Identity::new();
    for place in ["/tmp", "/nowhere/at/all"] {
        let environment = [COOKIE, ("PLUGIN_CLIENT_CERT", &identity.pem), ("TMPDIR", place)];
        let plugin = Plugin::start(&environment).await;
        assert!(refused(plugin.connect(None).await).await, "without a certificate");
        assert!(refused(plugin.connect(Some(&Identity::new())).await).await, "with another certificate");
        let plain = host::dial(plugin.field(2), plugin.field(3)).await;
        assert!(refused(host::channel(plain).await).await, "without TLS");
        let channel = plugin.connect(Some(&identity)).await.unwrap();
        call::schema(&channel).await.unwrap();
        call::shut_down(&channel).await;
        assert_eq!(plugin.end().await.code, Some(0));
    }
}

/// Without TLS (`TF_DISABLE_PLUGIN_TLS`, or attached to) nothing else keeps other users away.
#[tokio::test]
async fn other_users_cannot_reach_the_socket() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let socket = plugin.socket();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    let writable = |user: u32| {
        use std::os::unix::process::CommandExt as _;
        let mut test = Command::new("test");
        test.arg("-w").arg(&socket).uid(user).gid(user).status().unwrap().success()
    };
    // Only root can become another user to try it.
    if geteuid().is_root() {
        assert!(writable(0));
        assert!(!writable(65534));
    }
}
