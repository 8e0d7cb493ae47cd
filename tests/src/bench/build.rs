//! What a build is felt by: the time from a folder to an image in a registry, and from a folder to the answer that
//! nothing has to be built, beside the programs that people build with.
//!
//! Every run is of a process of its own. Ours does what `terraform apply` does with an image: it reads the files, looks
//! for their source tag, builds, pushes and tags. `BENCH_SHRINK=100` makes all folders so much smaller, to try a lane.

mod content;
mod course;
mod plan;
mod program;

use anyhow::Result;

use super::contest::{self, Heat, Lane, OURS, TIME, Wanted, part, part_of};
use super::lane::Stage;
use super::report::Outcome;
pub(super) use content::shrink;
use course::{Course, Job, SIZE};
use plan::{WALK, WARM};
use program::{BUILDERS, IMAGE_BUILDERS, Program, ZSTD_BUILDERS};

const AREA: &str = "build";

const MEMORY: Lane = Lane {
    about: "files of 268 MB onto a base, pushed; goal: 256 MB of resident memory at most",
    unit: "MB",
    of: |taken| taken.usage.memory_mb,
    goal: |_| Some(256.0),
    ..TIME
};
const OUTPUT: Lane = Lane {
    about: "the layers made of files of 268 MB; goal: 1.05 of the smallest peer's",
    unit: "MB",
    of: |taken| taken.figure(SIZE),
    goal: |peers| part(1.05, peers),
    ..TIME
};
const PUSH: Lane = Lane {
    about: "files of 268 MB onto a base, pushed to a docker-registry with its storage in memory; \
            goal: 0.5 of the fastest peer",
    goal: |peers| part(0.5, peers),
    ..TIME
};

const HEATS: &[Heat<Course>] = &[
    Heat {
        rounds: 3,
        run: |course, without, rounds| course.compete(Job::Push, BUILDERS, without, rounds),
        lanes: &[
            Lane { name: "build-push-268MB", ..PUSH },
            Lane { name: "output-gzip", ..OUTPUT },
            Lane { name: "memory-gzip", ..MEMORY },
        ],
    },
    Heat {
        rounds: 3,
        run: |course, without, rounds| course.compete(Job::PushZstd, ZSTD_BUILDERS, without, rounds),
        lanes: &[
            Lane { name: "build-push-268MB-zstd", ..PUSH },
            Lane { name: "output-zstd", ..OUTPUT },
            Lane { name: "memory-zstd", ..MEMORY },
        ],
    },
    Heat {
        rounds: 3,
        run: |course, without, rounds| course.compete(Job::OneByte, IMAGE_BUILDERS, without, rounds),
        lanes: &[Lane {
            name: "one-byte-changed",
            about: "the image of 268 MB is there, and one byte of one file changed; goal: 0.2 of the fastest peer",
            goal: |peers| part(0.2, peers),
            ..TIME
        }],
    },
    Heat {
        rounds: 3,
        run: |course, without, rounds| course.compete(Job::Services, IMAGE_BUILDERS, without, rounds),
        lanes: &[Lane {
            name: "thirty-services",
            about: "30 services, each of 4 MB of files on the same base; goal: 0.4 of the fastest peer",
            goal: |peers| part(0.4, peers),
            ..TIME
        }],
    },
    Heat {
        rounds: 5,
        run: |course, without, rounds| course.compete(Job::Noop, BUILDERS, without, rounds),
        lanes: &[Lane { name: "noop", about: "the image of 268 MB is there, and nothing changed", ..TIME }],
    },
    Heat {
        rounds: 5,
        run: |course, without, rounds| {
            course.compete(Job::Run, &[Program::Buildctl, Program::Docker], without, rounds)
        },
        lanes: &[Lane {
            name: "buildkit",
            about: "files of 17 MB copied and read by a RUN step, pushed; goal: 1.05 of the fastest peer",
            goal: |peers| part(1.05, peers),
            ..TIME
        }],
    },
    Heat {
        rounds: 5,
        run: plan::compete,
        lanes: &[
            Lane {
                name: "plan-2GB-cold",
                about: "100,000 files of 2 GB looked at by who never saw them, as on a CI runner; goal: 1.2 of a \
                        program that walks and hashes on all processors and does nothing else",
                others: &[WARM],
                goal: |peers| part_of(1.2, WALK, peers),
                ..TIME
            },
            Lane {
                name: "plan-2GB-warm",
                about: "100,000 files of 2 GB looked at once more; goal: a second, and 0.1 of hashing all",
                ours: WARM,
                others: &[OURS],
                goal: |peers| Some(part_of(0.1, WALK, peers).unwrap_or(f64::MAX).min(1000.0)),
                ..TIME
            },
        ],
    },
];

/// The names of all lanes.
pub(super) fn names() -> impl Iterator<Item = String> {
    contest::names(AREA, HEATS)
}

/// Runs the lanes that are meant.
pub(super) fn run(stage: &Stage, wanted: Wanted<'_>, told: impl FnMut(&str, Result<Outcome>)) {
    contest::run_all(AREA, HEATS, &Course::new(stage), wanted, told);
}
