//! What a push is felt by: the time from exec to exit, on registries near and far, beside the programs that people
//! push with.
//!
//! Every run is of a process of its own against a registry that is empty, or has just what the job needs. Processor
//! time and memory are with the daemon's for a program that has one.

pub(super) mod buildkit;
mod delay;
pub(super) mod docker;
pub(super) mod image;
mod program;
mod race;
pub(super) mod server;
mod sink;

use anyhow::Result;

use super::lane::Stage;
use super::report::Outcome;
use image::{MIB, Shape};
use program::{Daemons, Job, Program};
use race::{Goal, Race};
use server::Kind;

const ALL: &[Program] = &[Program::Crane, Program::Skopeo, Program::Docker, Program::Buildctl, Program::Curl];
/// Those that have something of their own to do when all is there.
const PUSHERS: &[Program] = &[Program::Crane, Program::Skopeo, Program::Docker, Program::Buildctl];
/// Those of them that do not take a minute for it at a great distance.
const PATIENT: &[Program] = &[Program::Crane, Program::Docker, Program::Buildctl];
/// Those that push an image as it is: to build each of many once more is another job.
const MANY: &[Program] = &[Program::Crane, Program::Skopeo, Program::Docker];
/// Those that copy between repositories without having the image.
const COPIERS: &[Program] = &[Program::Crane, Program::Skopeo];
/// Those that copy within a registry.
const MOUNTERS: &[Program] = &[Program::Crane, Program::Skopeo, Program::Docker];

const PUSH: Race = Race {
    name: "",
    job: Job::Push,
    shape: Shape::Layers(40, MIB),
    server: Kind::Distribution,
    round_trip: 0,
    rounds: 7,
    peers: ALL,
    goal: Goal::PartOrPuts(0.7),
};
const SINK: Race = Race { server: Kind::Sink, ..PUSH };
const NOOP: Race = Race { job: Job::PushAgain, peers: PUSHERS, goal: Goal::Part(0.7), ..PUSH };
const COPY: Race = Race { job: Job::Copy, peers: COPIERS, goal: Goal::Part(0.7), ..PUSH };
/// Two gigabytes a second.
const FAST: Goal = Goal::Rate(2e9);
const MEMORY: Race =
    Race { shape: Shape::Sparse(4096 * MIB), peers: COPIERS, rounds: 1, goal: Goal::Memory(64.0), ..SINK };
const EIGHT: Shape = Shape::Layers(8, 64 * MIB);
const ONE: Shape = Shape::Layers(1, 512 * MIB);

const RACES: &[Race] = &[
    Race { name: "push-8x64MiB", shape: EIGHT, rounds: 3, ..PUSH },
    Race { name: "push-8x64MiB-sink", shape: EIGHT, rounds: 3, goal: FAST, ..SINK },
    Race { name: "push-1x512MiB", shape: ONE, rounds: 3, ..PUSH },
    Race { name: "push-1x512MiB-sink", shape: ONE, rounds: 3, goal: FAST, ..SINK },
    Race { name: "push-40x1MiB", ..PUSH },
    Race { name: "push-40x1MiB-sink", ..SINK },
    Race { name: "push-40x1MiB-20ms", round_trip: 20, goal: Goal::Part(0.5), peers: PUSHERS, ..PUSH },
    Race {
        name: "push-40x1MiB-80ms",
        round_trip: 80,
        goal: Goal::Part(0.5),
        peers: PATIENT,
        rounds: 3,
        ..PUSH
    },
    Race {
        name: "images-200",
        shape: Shape::Images(200),
        goal: Goal::Part(0.4),
        peers: MANY,
        rounds: 3,
        ..PUSH
    },
    Race { name: "noop", ..NOOP },
    Race { name: "noop-20ms", round_trip: 20, ..NOOP },
    Race { name: "noop-80ms", round_trip: 80, ..NOOP },
    Race { name: "mount-copy", peers: MOUNTERS, ..COPY },
    Race { name: "mount-copy-20ms", peers: MOUNTERS, round_trip: 20, ..COPY },
    Race { name: "cross-copy", shape: EIGHT, rounds: 3, ..COPY },
    Race { name: "memory-4GiB", ..MEMORY },
    Race { name: "memory-copy-4GiB", job: Job::Copy, ..MEMORY },
];

/// The names of all races.
pub(super) fn names() -> impl Iterator<Item = String> {
    RACES.iter().map(|race| format!("registry/{}", race.name))
}

/// Runs the races that are meant; each outcome is told as soon as it is there.
pub(super) fn run(
    stage: &Stage,
    is_meant: impl Fn(&str) -> bool,
    without: &[String],
    rounds: Option<usize>,
    mut told: impl FnMut(&str, Result<Outcome>),
) {
    let daemons = Daemons::default();
    for race in RACES {
        let name = format!("registry/{}", race.name);
        if is_meant(&name) {
            crate::progress::say(format_args!("{name}"));
            told(&name, race.run(stage, &daemons, without, rounds));
        }
    }
}
