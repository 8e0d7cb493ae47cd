//! `cargo xtask bench`: what ours takes, beside the programs that people use for the same.
//!
//! A lane runs ours and every peer in turn, in one run on one machine, and compares medians. A peer that is missing
//! fails its lane unless it was left out by name: a number without its comparison is not a result.

mod build;
mod contest;
mod document;
pub mod helm;
mod lane;
mod plot;
mod provider;
mod registry;
mod report;
mod statistics;
mod tfplugin;
pub mod usage;

use anyhow::{Result, ensure};

use crate::cache::Cache;
use crate::{programs, progress};
use contest::Wanted;
use lane::{Lane, Stage};
use report::Outcome;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An area such as `helm`, or one lane of it such as `helm/token`; all without it
    area: Option<String>,
    /// Print one line of JSON for each lane and peer
    #[arg(long)]
    json: bool,
    /// Leave this peer out; may be given several times
    #[arg(long, value_name = "PEER")]
    without: Vec<String>,
    /// Write what is measured into docs/benchmarks.md
    #[arg(long)]
    write: bool,
    /// So many runs of each program in every lane of `build`, `provider` and `registry`, and in most of `helm`, instead of the lane's own number
    #[arg(long)]
    rounds: Option<usize>,
}

/// Every lane that needs nothing but commands: one file for each area.
fn lanes() -> impl Iterator<Item = &'static Lane> {
    helm::LANES.iter().chain(tfplugin::LANES)
}

/// What all lanes are called.
fn names() -> impl Iterator<Item = String> {
    let others = build::names().chain(helm::names()).chain(provider::names()).chain(registry::names());
    lanes().map(ToString::to_string).chain(others)
}

/// Runs the lanes and tells what they took.
///
/// # Errors
/// When a lane could not be run, after all others have run.
pub fn run(arguments: &Arguments) -> Result<()> {
    let is_meant = |lane: &str| arguments.means(lane);
    let known = names().any(|lane| is_meant(&lane));
    ensure!(known, "no lane is called `{}`", arguments.area.as_deref().unwrap_or_default());
    let stage = Stage { cache: Cache::from_env()?, folder: tempfile::tempdir()? };
    let mut failed = Vec::new();
    let mut tell = |lane: &str, outcome: Result<Outcome>| {
        if let Err(error) = outcome.and_then(|outcome| arguments.tell(&outcome)) {
            progress::say(format_args!("{lane}: {error:#}"));
            failed.push(lane.to_owned());
        }
    };
    for lane in lanes().filter(|lane| is_meant(&lane.to_string())) {
        progress::say(format_args!("{lane}: {} rounds after {} to warm up", lane.rounds, lane.warm_up));
        tell(&lane.to_string(), lane.run(&stage, &arguments.without));
    }
    let wanted = Wanted { is_meant: &is_meant, without: &arguments.without, rounds: arguments.rounds };
    build::run(&stage, wanted, &mut tell);
    helm::run(&stage, wanted, &mut tell);
    provider::run(&stage, wanted, &mut tell);
    registry::run(&stage, is_meant, &arguments.without, arguments.rounds, &mut tell);
    ensure!(failed.is_empty(), "these lanes have no result: {}", failed.join(", "));
    Ok(())
}

impl Arguments {
    /// Whether the lane is meant by an area's or a lane's name.
    fn means(&self, lane: &str) -> bool {
        let area = lane.split_once('/').map(|(area, _)| area);
        self.area.as_deref().is_none_or(|meant| Some(meant) == area || meant == lane)
    }

    fn tell(&self, outcome: &Outcome) -> Result<()> {
        print(&if self.json { outcome.json() } else { outcome.table() });
        if self.write { document::write(&programs::checkout(), outcome) } else { Ok(()) }
    }
}

#[expect(clippy::print_stdout, reason = "the answer to the command")]
fn print(text: &str) {
    print!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_meant_by_its_area_or_its_name() {
        for (area, expected) in
            [(None, true), (Some("shell"), true), (Some("shell/echo"), true), (Some("sh"), false)]
        {
            let area = area.map(str::to_owned);
            let arguments = Arguments { area, json: false, without: Vec::new(), write: false, rounds: None };
            assert_eq!(arguments.means("shell/echo"), expected, "{arguments:?}");
        }
    }

    #[test]
    fn every_lane_has_a_name_of_its_own() {
        let mut names: Vec<String> = names().collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
