//! Many calls, and big ones.

use tokio::task::JoinSet;
use tonic::Code;

use crate::{
    call,
    host::{COOKIE, Plugin},
};

/// Each of these calls is answered only when all of them have arrived.
#[tokio::test]
async fn calls_run_side_by_side() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        let channel = channel.clone();
        calls.spawn(async move { call::trouble(&channel, "meet").await });
    }
    let met: Vec<_> = calls.join_all().await;
    assert!(met.iter().all(|result| result.as_deref() == Ok("met")), "{met:?}");
    call::shut_down(&channel).await;
    assert_eq!(plugin.end().await.code, Some(0));
}

#[tokio::test]
async fn big_messages_pass_and_bigger_ones_are_refused() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    call::send(&channel, 200 << 20).await.unwrap();
    let refused = call::send(&channel, 257 << 20).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    assert_eq!(call::trouble(&channel, "size").await.unwrap().len(), 200 << 20);
    call::shut_down(&channel).await;
    assert_eq!(plugin.end().await.code, Some(0));
}
