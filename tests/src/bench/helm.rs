//! What the Helm plugin is felt by: beside the programs that people use for the same, and beside Helm itself.

mod overhead;
mod post_render;
pub mod resolve;
mod token;

use anyhow::Result;

use super::contest::{self, Heat, Lane, TIME, Wanted};
use super::lane::Stage;
use super::report::Outcome;
use overhead::OWN;

pub(super) use token::LANES;

const AREA: &str = "helm";

const OVERHEAD: Lane = Lane { of: |taken| taken.figure(OWN), goal: |_| Some(150.0), ..TIME };

const HEATS: &[Heat<Stage>] = &[
    Heat {
        rounds: 11,
        run: token::assume_role,
        lanes: &[Lane {
            name: "token-assume-role",
            about: "a token as another role, from an STS 20 ms away",
            ..TIME
        }],
    },
    Heat {
        rounds: 7,
        run: |stage, without, rounds| resolve::compete(stage, resolve::Spread::One, without, rounds),
        lanes: &[Lane {
            name: "resolve-100",
            about: "the digests of a chart's 100 images in one repository 20 ms away, with all that is ours around that; \
                    `crane digest` for each, 8 at a time",
            ..TIME
        }],
    },
    Heat {
        rounds: 7,
        run: |stage, without, rounds| resolve::compete(stage, resolve::Spread::Hundred, without, rounds),
        lanes: &[Lane {
            name: "resolve-100-repositories",
            about: "the same with a repository for each image",
            ..TIME
        }],
    },
    Heat {
        rounds: 21,
        run: |stage, _, rounds| post_render::compete(stage, rounds),
        lanes: &[Lane {
            name: "post-render-1MB",
            about: "what the post-renderer adds to Helm's own work on a megabyte of manifests, its start included",
            goal: |_| Some(15.0),
            ..TIME
        }],
    },
    Heat {
        rounds: 7,
        run: |stage, _, rounds| overhead::compete(stage, false, rounds),
        lanes: &[Lane {
            name: "overhead",
            about: "`up` of a chart without images of ECR, less the dry run and the upgrade that Helm does for it",
            ..OVERHEAD
        }],
    },
    Heat {
        rounds: 7,
        run: |stage, _, rounds| overhead::compete(stage, true, rounds),
        lanes: &[Lane {
            name: "overhead-pinned",
            about: "`up` of a chart with an image of ECR, less the two dry runs and the upgrade that Helm does for it",
            ..OVERHEAD
        }],
    },
];

/// The names of all lanes that are no mere commands.
pub(super) fn names() -> impl Iterator<Item = String> {
    contest::names(AREA, HEATS)
}

/// Runs the lanes that are meant.
pub(super) fn run(stage: &Stage, wanted: Wanted<'_>, told: impl FnMut(&str, Result<Outcome>)) {
    contest::run_all(AREA, HEATS, stage, wanted, told);
}
