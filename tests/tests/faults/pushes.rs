//! Pushes of an image through a proxy that breaks the connections.

use std::path::{Path, PathBuf};

use ecr_registry::{Error, Tree};
use lab::emulator::Emulator;
use lab::fault::{Kind, Proxy, Schedule, Traffic};

use crate::content::{is_right, little_is_sent_again, nothing_is_partial};
use crate::pusher::Pusher;
use crate::runs::{self, Busy, Judged};
use crate::table::End;
use crate::world::{ACCOUNT, CONTENT, Door, IMAGE, NAME, Nerves, client, ecr, is_clear, tag, told};

const RUNS: u64 = 1000;
/// Every kind strikes so often at least.
const EACH: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_broken_pushes_end_as_they_should() {
    let clean = clean().await;
    let schedules = runs::seeds(RUNS).map(|seed| Schedule::draw(seed, &Kind::ALL, clean)).collect();
    runs::all(schedules, &Kind::ALL, EACH, run).await;
}

/// What a push sends and gets when nothing is wrong.
async fn clean() -> Traffic {
    let ecr = ecr(0, ACCOUNT).await;
    let proxy = Proxy::start(ecr.address(), &Schedule::clean()).await.unwrap();
    push(&Door::of(&ecr, proxy.address()), Nerves::Strong, None).await.unwrap();
    assert_eq!(ecr.count("PUT upload"), IMAGE.blobs().count());
    is_right(&ecr).unwrap();
    proxy.traffic()
}

async fn run(schedule: Schedule, busy: Busy) -> Judged {
    let ecr = ecr(schedule.seed, ACCOUNT).await;
    let proxy = Proxy::start(ecr.address(), &schedule).await.map_err(|error| told(&error))?;
    let (door, locks) = (Door::of(&ecr, proxy.address()), tempfile::tempdir().unwrap());
    let end = if schedule.has(|kind| kind == Kind::Kill) {
        busy.work(&proxy, push_in_a_process(&door, &proxy, Nerves::of(&schedule), locks.path())).await?
    } else {
        match busy.work(&proxy, push(&door, Nerves::of(&schedule), None)).await {
            Ok(()) => End::Done,
            Err(error) => is_clear(&error).map(|()| End::Told)?,
        }
    };
    nothing_is_partial(&ecr)?;
    let struck = proxy.struck();
    if end == End::Done {
        little_is_sent_again(&ecr, struck.len())?;
    } else {
        push_the_rest(&ecr, locks.path().into()).await?;
    }
    is_right(&ecr).map(|()| (struck, end))
}

/// A process that pushes, and is killed when the schedule says so.
async fn push_in_a_process(door: &Door, proxy: &Proxy, nerves: Nerves, locks: &Path) -> Result<End, String> {
    let mut pusher = Pusher::start(door, CONTENT, nerves, locks);
    tokio::select! {
        ended = pusher.outcome() => match ended {
            Ok(()) => Ok(End::Done),
            Err(_) if nerves == Nerves::None => Ok(End::Told),
            Err(error) => Err(error),
        },
        () = proxy.kill_is_due() => {
            pusher.kill().await;
            Ok(End::Killed)
        }
    }
}

async fn push(door: &Door, nerves: Nerves, locks: Option<PathBuf>) -> Result<(), Error> {
    let tree = Tree::from(IMAGE.clone());
    client(&[door], nerves, locks).push_tree(&door.repository(), &tree, &[tag()], &()).await.map(drop)
}

/// After a push that came to nothing, another one sends the blobs that are not there, and of the others no byte.
async fn push_the_rest(ecr: &Emulator, locks: PathBuf) -> Result<(), String> {
    /// For the lines of requests, and the manifest.
    const BESIDES: u64 = 64 * 1024;
    let there = ecr.contents(NAME).blobs;
    let missing = IMAGE.blobs().map(|blob| &blob.descriptor);
    let missing = missing.filter(|blob| !there.contains_key(&blob.digest.to_string()));
    let missing: u64 = missing.map(|blob| blob.size).sum();
    let proxy = Proxy::start(ecr.address(), &Schedule::clean()).await.map_err(|error| told(&error))?;
    push(&Door::of(ecr, proxy.address()), Nerves::Strong, Some(locks)).await.map_err(|error| told(&error))?;
    let sent = proxy.traffic().up;
    if sent <= missing + BESIDES {
        Ok(())
    } else {
        Err(format!("{sent} bytes sent for {missing} missing ones"))
    }
}
