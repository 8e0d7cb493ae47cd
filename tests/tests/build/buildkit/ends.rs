//! Builds that do not come to their end: prompt, clear, and nothing goes on.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use image_build::{BuildError, DockerfileRecipe};
use lab::process::poll_until;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Notify;

use super::daemon::Buildkitd;
use super::{BUSYBOX, Desk, afresh, builder, context, recipe, whole};

/// The processes that sleep for so long.
fn sleepers(seconds: u32) -> Vec<Pid> {
    let line = format!("/bin/busybox\0sleep\0{seconds}\0");
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let sleeping = processes
        .filter(|process| fs::read(process.join("cmdline")).is_ok_and(|found| found == line.as_bytes()));
    sleeping.filter_map(|process| Pid::from_raw(process.file_name()?.to_str()?.parse().ok()?)).collect()
}

/// Builds a step that sleeps, does `meanwhile` once it does, and gives the error.
async fn interrupted(daemon: &Buildkitd, seconds: u32, meanwhile: impl AsyncFnOnce(&Desk)) -> BuildError {
    let text = format!("{BUSYBOX}RUN [\"/bin/busybox\", \"sleep\", \"{seconds}\"]\n");
    let folder = context(&[("Dockerfile", &text)]);
    let options = afresh();
    let recipe =
        recipe(folder.path(), &["linux/amd64"], DockerfileRecipe { options, ..DockerfileRecipe::default() });
    let mut desk = Desk::new();
    let sleeps = Arc::new(Notify::new());
    let hears = sleeps.clone();
    desk.hears = Box::new(move |line| {
        if line.contains("sleep") {
            hears.notify_one();
        }
    });
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let then = async {
        sleeps.notified().await;
        meanwhile(&desk).await;
    };
    let (built, ()) = tokio::join!(desk.build(&fleet, &recipe), then);
    built.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn a_build_that_is_called_off_leaves_nothing_running() {
    let daemon = Buildkitd::on_socket();
    let error = interrupted(&daemon, 86_397, async |desk| desk.cancel.cancel()).await;
    assert_eq!(error.to_string(), "the build was cancelled");
    poll_until("the step's end", Duration::from_mins(1), || Ok(sleepers(86_397).is_empty().then_some(())))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn a_builder_that_is_killed_or_stalls_is_named() {
    let daemon = Buildkitd::on_socket();
    let address = daemon.endpoint.address.to_string();
    let signal = |signal| {
        let pid = Pid::from_raw(daemon.service.pid).unwrap();
        kill_process(pid, signal).unwrap();
    };
    let error = interrupted(&daemon, 86_396, async |_| signal(Signal::STOP)).await;
    assert_eq!(error.to_string(), format!("builder `{address}` gave no sign of life for 20 s"));
    signal(Signal::CONT);
    let error = interrupted(&daemon, 86_395, async |_| signal(Signal::KILL)).await;
    assert!(whole(&error).starts_with(&format!("builder `{address}` broke off: ")), "{}", whole(&error));
    assert!(error.is_transient());
    // Nobody is left to end what the builder began.
    for sleeper in sleepers(86_395) {
        kill_process(sleeper, Signal::KILL).unwrap();
    }
}
