//! `cargo xtask bench`: what ours takes, beside the programs that people use for the same.
//!
//! A lane runs ours and every peer in turn, in one run on one machine, and compares medians. A peer that is missing
//! fails its lane unless it was left out by name: a number without its comparison is not a result.

mod helm;
mod lane;
mod report;
mod statistics;
mod tfplugin;
pub mod usage;

use anyhow::{Result, ensure};

use crate::cache::Cache;
use crate::progress;
use lane::{Lane, Stage};

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
}

/// Every lane there is: one file for each area.
fn lanes() -> impl Iterator<Item = &'static Lane> {
    helm::LANES.iter().chain(tfplugin::LANES)
}

/// Runs the lanes and prints what they took.
///
/// # Errors
/// When a lane could not be run, after all others have run.
pub fn run(arguments: &Arguments) -> Result<()> {
    let lanes: Vec<_> = lanes().filter(|lane| lane.is_in(arguments.area.as_deref())).collect();
    ensure!(!lanes.is_empty(), "no lane is called `{}`", arguments.area.as_deref().unwrap_or_default());
    let stage = Stage { cache: Cache::from_env()?, folder: tempfile::tempdir()? };
    let mut failed = Vec::new();
    for lane in lanes {
        progress::say(format_args!("{lane}: {} rounds after {} to warm up", lane.rounds, lane.warm_up));
        match lane.run(&stage, &arguments.without) {
            Ok(result) if arguments.json => print(&report::json(lane, &result)),
            Ok(result) => print(&report::table(lane, &result)),
            Err(error) => {
                progress::say(format_args!("{lane}: {error:#}"));
                failed.push(lane.to_string());
            }
        }
    }
    ensure!(failed.is_empty(), "these lanes have no result: {}", failed.join(", "));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the answer to the command")]
fn print(text: &str) {
    print!("{text}");
}
