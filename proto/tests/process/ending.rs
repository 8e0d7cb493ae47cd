//! Who ends a provider, and how.

use std::thread::available_parallelism;

use rustix::process::{Signal, kill_process};
use tokio::process::Command;

use crate::{
    call,
    host::{COOKIE, Plugin, program},
};

#[tokio::test]
async fn interrupts_are_ignored_and_termination_is_not() {
    let plugin = Plugin::start(&[COOKIE]).await;
    kill_process(plugin.process(), Signal::INT).unwrap();
    call::schema(&plugin.connect(None).await.unwrap()).await.unwrap();
    let socket = plugin.socket();
    kill_process(plugin.process(), Signal::TERM).unwrap();
    assert_eq!(plugin.end().await.code, Some(143));
    assert!(!socket.parent().unwrap().exists());
}

#[tokio::test]
async fn a_provider_does_not_outlive_its_parent() {
    let mut parent = Command::new("sh");
    // A list, so that the shell does not become the provider.
    parent.args(["-c", "\"$0\"; true"]).arg(program()).env(COOKIE.0, COOKIE.1);
    let plugin = Plugin::launch(&mut parent).await;
    let channel = plugin.connect(None).await.unwrap();
    call::schema(&channel).await.unwrap();
    let socket = plugin.socket();
    kill_process(plugin.process(), Signal::KILL).unwrap();
    // Its streams close with its end.
    assert_eq!(plugin.end().await.code, None, "the parent was killed");
    assert!(!socket.exists());
}

/// What is under way gets the time to tidy up.
#[tokio::test]
async fn shutdown_cancels_and_waits_a_little() {
    let mut plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    let work = tokio::spawn({
        let channel = channel.clone();
        async move { call::trouble(&channel, "wait").await }
    });
    plugin.says("begun: wait", 1).await;
    call::shut_down(&channel).await;
    assert_eq!(work.await.unwrap().unwrap(), "cancelled");
    assert_eq!(plugin.end().await.code, Some(0));
}

/// Whether the handler waits for ever, or blocks every thread there is.
#[tokio::test]
async fn shutdown_waits_for_nobody_who_hangs() {
    let threads = available_parallelism().unwrap().get();
    for (kind, calls) in [("hang", 1), ("block", threads)] {
        let mut plugin = Plugin::start(&[COOKIE]).await;
        let channel = plugin.connect(None).await.unwrap();
        for _ in 0..calls {
            let channel = channel.clone();
            tokio::spawn(async move { call::trouble(&channel, kind).await });
        }
        plugin.says(&format!("begun: {kind}"), calls).await;
        let socket = plugin.socket();
        call::stop(&channel).await;
        call::shut_down(&channel).await;
        assert_eq!(plugin.end().await.code, Some(70), "not by itself: {kind}");
        assert!(!socket.exists());
    }
}

#[tokio::test]
async fn stopping_cancels_what_is_under_way_and_nothing_later() {
    let mut plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    let work = tokio::spawn({
        let channel = channel.clone();
        async move { call::trouble(&channel, "wait").await }
    });
    plugin.says("begun: wait", 1).await;
    call::stop(&channel).await;
    assert_eq!(work.await.unwrap().unwrap(), "cancelled");
    assert_eq!(call::trouble(&channel, "print").await.unwrap(), "printed");
    call::shut_down(&channel).await;
    assert_eq!(plugin.end().await.code, Some(0));
}

#[tokio::test]
async fn a_panic_is_a_diagnostic_and_a_line_that_terraform_shows() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    let failed = call::trouble(&channel, "nothing").await.unwrap_err();
    assert!(failed.starts_with("The provider crashed: ") && failed.contains("there is no `nothing`"));
    call::schema(&channel).await.unwrap();
    call::shut_down(&channel).await;
    let ended = plugin.end().await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.lines().any(|line| line.starts_with("panic: ")), "{}", ended.stderr);
}
