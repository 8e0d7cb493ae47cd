//! The standard streams: ours alone.

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    call,
    host::{COOKIE, Plugin},
};

#[tokio::test]
async fn what_others_print_does_not_reach_the_protocol() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    assert_eq!(call::trouble(&channel, "print").await.unwrap(), "printed");
    call::shut_down(&channel).await;
    let line = plugin.line.clone();
    let ended = plugin.end().await;
    assert_eq!(ended.stdout, line);
    assert_eq!(ended.stderr, "begun: print\n", "what is printed to standard error is a line of its own");
}

/// Terraform waits until nobody holds its pipes any more.
#[tokio::test]
async fn a_child_that_lives_on_keeps_nobody_waiting() {
    let plugin = Plugin::start(&[COOKIE]).await;
    let channel = plugin.connect(None).await.unwrap();
    let child: i32 = call::trouble(&channel, "child").await.unwrap().parse().unwrap();
    call::shut_down(&channel).await;
    assert_eq!(plugin.end().await.code, Some(0));
    kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).expect("it has outlived the provider");
}

/// Each line is an object that Terraform can read, with what it was told to log, and nothing without being told.
#[tokio::test]
async fn logs_are_lines_of_hclog() {
    for (level, expected) in [("DEBUG", true), ("OFF", false)] {
        let plugin = Plugin::start(&[COOKIE, ("TF_LOG_PROVIDER_PROCESS", level), ("TF_LOG", "TRACE")]).await;
        let channel = plugin.connect(None).await.unwrap();
        call::schema(&channel).await.unwrap();
        call::send(&channel, 1).await.unwrap();
        call::shut_down(&channel).await;
        let ended = plugin.end().await;
        let logs: Vec<serde_json::Value> =
            ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told = |level: &str, rpc: &str, key: &str, value: &str| {
            logs.iter().any(|log| log["@level"] == level && log["tf_rpc"] == rpc && log[key] == value)
        };
        assert_eq!(told("debug", "GetProviderSchema", "@message", "answered"), expected, "{}", ended.stderr);
        let summary = "This version of the provider has no data source `process_unknown`";
        let rpc = "ValidateDataResourceConfig";
        assert_eq!(told("error", rpc, "diagnostic_summary", summary), expected, "{}", ended.stderr);
    }
}
