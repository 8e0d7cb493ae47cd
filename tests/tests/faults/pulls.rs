//! Pulls and copies of an image over ways that break: to the registry, to where it has layers, to another registry.

use std::path::Path;

use ecr_registry::{CopyOptions, Digest, Error, Layout, Registry, Tree, Wanted};
use lab::emulator::Emulator;
use lab::fault::{Fault, Kind, Proxy, Schedule, Traffic};

use crate::content::{is_right, little_is_sent_again, nothing_is_partial};
use crate::runs::{self, Busy, Judged};
use crate::table::End;
use crate::world::{ACCOUNT, Door, IMAGE, Nerves, client, ecr, is_clear, tag, told};

const RUNS: u64 = 210;
/// All that a network does by itself.
const KINDS: [Kind; 7] =
    [Kind::Cut, Kind::Reset, Kind::Stall, Kind::Swallow, Kind::Slow, Kind::Split, Kind::HalfClose];
/// Every kind strikes so often at least.
const EACH: usize = 20;

/// What is between the client and the rest, in this order: a registry, its layers, another registry.
const WAYS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn broken_pulls_end_as_they_should() {
    let stage = Stage::new(0, &Default::default()).await;
    let folder = tempfile::tempdir().unwrap();
    pull(&stage.client(Nerves::Strong), &stage.source(), folder.path()).await.unwrap();
    let clean = stage.traffic();
    let schedules = runs::seeds(RUNS).map(|seed| Schedule::draw(seed, &KINDS, clean[way(seed, 2)])).collect();
    let run = move |schedule, busy| broken_pull(schedule, busy, clean);
    runs::all(schedules, &KINDS, EACH, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_copies_end_as_they_should() {
    let stage = Stage::new(0, &Default::default()).await;
    copy(&stage.client(Nerves::Strong), &stage).await.unwrap();
    is_right(&stage.target).unwrap();
    let clean = stage.traffic();
    let schedules =
        runs::seeds(RUNS).map(|seed| Schedule::draw(seed, &KINDS, clean[way(seed, WAYS)])).collect();
    runs::all(schedules, &KINDS, EACH, broken_copy).await;
}

/// Which of the ways is broken: another one each time that all kinds had their turn.
fn way(seed: u64, ways: usize) -> usize {
    usize::try_from(seed).unwrap() / KINDS.len() % ways
}

async fn broken_pull(schedule: Schedule, busy: Busy, clean: [Traffic; WAYS]) -> Judged {
    let stage = Stage::with(&schedule, 2).await;
    let folder = tempfile::tempdir().unwrap();
    let (registry, source) = (stage.client(Nerves::of(&schedule)), stage.source());
    let pulled = busy.work(stage.broken(&schedule, 2), pull(&registry, &source, folder.path())).await;
    let (struck, end) = (stage.struck(), end_of(pulled)?);
    is_whole(folder.path())?;
    if end == End::Done {
        little_came_again(&stage, clean, struck.len())?;
    } else {
        if !Layout::open(folder.path()).is_ok_and(|layout| layout.names().is_empty()) {
            return Err("the layout names what did not come".to_owned());
        }
        let around = Door::of(&stage.from, stage.from.address());
        let again = pull(&client(&[&around], Nerves::Strong, None), &around, folder.path()).await;
        again.map_err(|error| told(&error))?;
    }
    let layout = Layout::open(folder.path()).map_err(|error| told(&error))?;
    let entry = layout.find(Some("v1")).map_err(|error| told(&error))?;
    layout.verify(entry).map_err(|error| told(&error))?;
    if entry.digest == IMAGE.manifest.digest { Ok((struck, end)) } else { Err("another image".to_owned()) }
}

async fn broken_copy(schedule: Schedule, busy: Busy) -> Judged {
    let stage = Stage::with(&schedule, WAYS).await;
    let registry = stage.client(Nerves::of(&schedule));
    let copied = busy.work(stage.broken(&schedule, WAYS), copy(&registry, &stage)).await;
    let (struck, end) = (stage.struck(), end_of(copied)?);
    nothing_is_partial(&stage.target)?;
    if end == End::Done {
        little_is_sent_again(&stage.target, struck.len())?;
    } else {
        // All that was to break is broken.
        copy(&stage.client(Nerves::ShortOfSilence), &stage).await.map_err(|error| told(&error))?;
    }
    is_right(&stage.target).map(|()| (struck, end))
}

fn end_of<T>(result: Result<T, Error>) -> Result<End, String> {
    match result {
        Ok(_) => Ok(End::Done),
        Err(error) => is_clear(&error).map(|()| End::Told),
    }
}

async fn pull(client: &Registry, from: &Door, to: &Path) -> Result<Tree, Error> {
    let mut layout = Layout::create(to).unwrap();
    client.pull(&from.reference(), &mut layout, Some("v1"), &Wanted::All, &()).await
}

async fn copy(client: &Registry, stage: &Stage) -> Result<(), Error> {
    let options = CopyOptions { tags: vec![tag()], ..CopyOptions::default() };
    let to = Door::of(&stage.target, stage.ways[2].address()).repository();
    client.copy(&stage.source().reference(), &to, &options, &()).await.map(drop)
}

/// Every file is content under its digest, and there are no others.
fn is_whole(layout: &Path) -> Result<(), String> {
    for file in std::fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let file = file.unwrap();
        let digest = Digest::of(&std::fs::read(file.path()).unwrap());
        if file.file_name() != *digest.hex() {
            return Err(format!("{} has {digest}", file.path().display()));
        }
    }
    let mut names: Vec<_> =
        std::fs::read_dir(layout).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    if names == ["blobs", "index.json", "oci-layout"] {
        Ok(())
    } else {
        Err(format!("left behind: {names:?}"))
    }
}

/// A fault strikes one connection, on which no more than one blob is in flight.
fn little_came_again(stage: &Stage, clean: [Traffic; WAYS], struck: usize) -> Result<(), String> {
    /// For the lines of answers.
    const BESIDES: u64 = 64 * 1024;
    let down = |ways: [Traffic; WAYS]| ways.iter().map(|way| way.down).sum::<u64>();
    let largest = IMAGE.blobs().map(|blob| blob.descriptor.size).max().unwrap_or_default();
    let (came, most) = (down(stage.traffic()), down(clean) + struck as u64 * largest + BESIDES);
    if came <= most { Ok(()) } else { Err(format!("{came} bytes came after {struck} faults")) }
}

/// A registry with the image, an empty one, and the ways to both.
struct Stage {
    from: Emulator,
    target: Emulator,
    ways: [Proxy; WAYS],
}

impl Stage {
    /// With one of the first `ways` broken.
    async fn with(schedule: &Schedule, ways: usize) -> Self {
        let mut schedules = [(); WAYS].map(|()| Schedule::clean());
        schedules[way(schedule.seed, ways)] = schedule.clone();
        Self::new(schedule.seed, &schedules).await
    }

    async fn new(seed: u64, schedules: &[Schedule; WAYS]) -> Self {
        let (from, target) = (ecr(seed, ACCOUNT).await, ecr(seed, "210987654321").await);
        let around = Door::of(&from, from.address());
        let tree = Tree::from(IMAGE.clone());
        let client = client(&[&around], Nerves::Strong, None);
        client.push_tree(&around.repository(), &tree, &[tag()], &()).await.unwrap();
        let [registry, layers, other] = schedules;
        let ways = [
            Proxy::start(from.address(), registry).await.unwrap(),
            Proxy::start(from.storage(), layers).await.unwrap(),
            Proxy::start(target.address(), other).await.unwrap(),
        ];
        from.fetch_layers_at(ways[1].address());
        Self { from, target, ways }
    }

    fn source(&self) -> Door {
        Door::of(&self.from, self.ways[0].address())
    }

    fn client(&self, nerves: Nerves) -> Registry {
        client(&[&self.source(), &Door::of(&self.target, self.ways[2].address())], nerves, None)
    }

    /// The one of the first `ways` that is broken.
    fn broken(&self, schedule: &Schedule, ways: usize) -> &Proxy {
        &self.ways[way(schedule.seed, ways)]
    }

    fn traffic(&self) -> [Traffic; WAYS] {
        self.ways.each_ref().map(Proxy::traffic)
    }

    fn struck(&self) -> Vec<Fault> {
        self.ways.iter().flat_map(Proxy::struck).collect()
    }
}
