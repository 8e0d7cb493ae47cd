//! What the provider is felt by in a repository of many services: how long a plan takes that changes nothing, what it
//! asks of ECR, and what is built again that was built before.
//!
//! `OpenTofu` runs all of it. Ours pushes to an ECR in memory, and kreuzwerker/docker, which knows nothing of ECR, to the
//! same; it is built from source, or taken from the folder that `LAB_PEERS` names. `BENCH_SHRINK=100` makes the numbers
//! so much smaller, to try a lane.

mod plan;
mod stack;
mod story;

use anyhow::Result;

use super::contest::{self, Heat, Lane, TIME, Wanted, part_of};
use super::lane::Stage;
use super::report::Outcome;
use plan::{MEMORY, REQUESTS, SIZE};
use stack::CLI;
use story::{AGAIN, DESTROY, FIRST, FRESH, FRESH_BUILT, ONE, ONE_BUILT};

const AREA: &str = "provider";

const PLAN: Lane = Lane { goal: |peers| part_of(1.0, CLI, peers).map(|cli| cli + 1000.0), ..TIME };
const ASKED: Lane = Lane { unit: "requests", others: &[CLI], of: |taken| taken.figure(REQUESTS), ..TIME };
const STEP: Lane = Lane { about: "30 services of 1 MB, each with a Dockerfile, built and pushed", ..TIME };
const BUILT: Lane = Lane { unit: "images", ..STEP };

const HEATS: &[Heat<Stage>] = &[
    Heat {
        rounds: 5,
        run: |stage, _, rounds| plan::compete(stage, true, rounds),
        lanes: &[
            Lane {
                name: "plan-200-unchanged",
                about: "200 images of one repository planned again; goal: a second more than OpenTofu takes for 200 \
                        resources of its own",
                ..PLAN
            },
            Lane {
                name: "requests-200-unchanged",
                about: "what that plan asks of ECR; goal: the pages of a list of images, and one more",
                goal: |_| Some(2.0),
                ..ASKED
            },
            Lane {
                name: "memory-200-unchanged",
                about: "what the provider has resident in that plan; goal: 64 MB",
                unit: "MB",
                others: &[CLI],
                of: |taken| taken.figure(MEMORY),
                goal: |_| Some(64.0),
                ..TIME
            },
            Lane {
                name: "size",
                about: "the program without symbols; goal: 30 MB",
                unit: "MB",
                others: &[CLI],
                of: |taken| taken.figure(SIZE),
                goal: |_| Some(30.0),
                ..TIME
            },
        ],
    },
    Heat {
        rounds: 5,
        run: |stage, _, rounds| plan::compete(stage, false, rounds),
        lanes: &[
            Lane {
                name: "plan-200-repositories",
                about: "an image in each of 200 repositories planned again; goal: a second more than OpenTofu takes for \
                        200 resources of its own",
                ..PLAN
            },
            Lane {
                name: "requests-200-repositories",
                about: "what that plan asks of ECR; goal: one for each repository",
                goal: |_| Some(200.0),
                ..ASKED
            },
        ],
    },
    Heat {
        rounds: 3,
        run: story::compete,
        lanes: &[
            Lane { name: "first-apply-30", of: |taken| taken.figure(FIRST), ..STEP },
            Lane {
                name: "again-30",
                about: "the plan after the first apply",
                of: |taken| taken.figure(AGAIN),
                ..STEP
            },
            Lane {
                name: "fresh-runner-30",
                about: "the same 30 services applied where nothing is left of the first apply but state and registry",
                of: |taken| taken.figure(FRESH),
                ..STEP
            },
            Lane {
                name: "fresh-runner-30-built",
                about: "how many images are built there",
                of: |taken| taken.figure(FRESH_BUILT),
                ..BUILT
            },
            Lane {
                name: "one-of-30",
                about: "one byte of one of 30 services changed",
                of: |taken| taken.figure(ONE),
                ..STEP
            },
            Lane {
                name: "one-of-30-built",
                about: "how many images are built then",
                of: |taken| taken.figure(ONE_BUILT),
                ..BUILT
            },
            Lane {
                name: "destroy-30",
                about: "30 services taken out of the state; the registry keeps their images",
                of: |taken| taken.figure(DESTROY),
                ..STEP
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
    contest::run_all(AREA, HEATS, stage, wanted, told);
}
