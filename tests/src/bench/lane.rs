//! One comparison: a job that several programs do.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::report::{Outcome, Row};
use super::statistics::Sample;
use crate::cache::Cache;
use crate::programs::{Profile, Programs};

/// What a lane works with.
pub(super) struct Stage {
    pub(super) cache: Cache,
    /// For what a job reads and writes. Goes away with the stage.
    pub(super) folder: TempDir,
}

impl Stage {
    /// Our two programs, as users run them.
    pub(super) fn programs(&self) -> Result<Programs> {
        Programs::build(&self.cache, Profile::Release)
    }
}

/// One program's way to do the job.
pub(super) struct Way {
    /// The program's name, as `--without` takes it.
    pub(super) name: &'static str,
    /// Finds or installs it, and says how it is called.
    pub(super) command: fn(&Stage) -> Result<Command>,
}

/// A comparison.
pub(super) struct Lane {
    pub(super) area: &'static str,
    pub(super) name: &'static str,
    /// Runs that do not count: they fill the machine's caches.
    pub(super) warm_up: u32,
    /// Runs that count, of each program.
    pub(super) rounds: u32,
    pub(super) ours: fn(&Stage) -> Result<Command>,
    pub(super) peers: &'static [Way],
    /// What ours is to reach.
    pub(super) goal: Option<f64>,
    /// What is measured in: less of it is better.
    pub(super) unit: &'static str,
    /// Lets the program do the job once, makes sure that it did, and gives what it took.
    pub(super) measure: fn(&mut Command) -> Result<f64>,
}

/// A program in a lane while it is measured.
struct Runner {
    name: &'static str,
    command: Command,
    taken: Vec<f64>,
}

impl Lane {
    /// Runs all programs in turn, so that whatever else the machine does falls on all alike.
    pub(super) fn run(&self, stage: &Stage, without: &[String]) -> Result<Outcome> {
        let mut runners = vec![Runner::new("ours", (self.ours)(stage)?)];
        for peer in self.peers.iter().filter(|peer| !without.iter().any(|name| name == peer.name)) {
            let command = (peer.command)(stage).with_context(|| {
                format!("no {0}: get it, or leave it out with `--without {0}`", peer.name)
            })?;
            runners.push(Runner::new(peer.name, command));
        }
        for round in 0..self.warm_up + self.rounds {
            for runner in &mut runners {
                let taken = (self.measure)(&mut runner.command).with_context(|| runner.name)?;
                if round >= self.warm_up {
                    runner.taken.push(taken);
                }
            }
        }
        let mut rows = runners.into_iter().map(|runner| Row::new(runner.name, Sample::of(&runner.taken)));
        let ours = rows.next().context("ours runs in every lane")?;
        let mut peers: Vec<_> = rows.collect();
        peers.sort_by(|one, other| one.sample.median.total_cmp(&other.sample.median));
        let Self { area, name: lane, unit, goal, .. } = *self;
        Ok(Outcome { area, lane, about: String::new(), unit, goal, ours, peers })
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.area, self.name)
    }
}

impl Runner {
    fn new(name: &'static str, command: Command) -> Self {
        Self { name, command, taken: Vec::new() }
    }
}

/// From exec to exit, in milliseconds. `is_done` says whether the program's output shows that it did the job.
///
/// The output goes into a file: a pipe would be read by us while the program runs.
pub(super) fn run(command: &mut Command, is_done: fn(&str) -> bool) -> Result<f64> {
    let mut output = tempfile::tempfile()?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
    let start = Instant::now();
    let status = command.status().context("cannot run it")?;
    let took = millis(start);
    let said = told(&mut output)?;
    ensure!(status.success(), "it failed ({status}): {said}");
    ensure!(is_done(&said), "it did not do the job; it said: {said}");
    Ok(took)
}

/// How long ago that was.
pub(super) fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn told(output: &mut File) -> Result<String> {
    let mut said = String::new();
    output.rewind()?;
    output.read_to_string(&mut said)?;
    Ok(said.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LANE: Lane = Lane {
        area: "shell",
        name: "echo",
        warm_up: 1,
        rounds: 3,
        ours: |_| Ok(shell("echo done")),
        peers: &[
            Way { name: "slow", command: |_| Ok(shell("sleep 0.05; echo done")) },
            Way { name: "absent", command: |_| bail!("not installed") },
        ],
        goal: None,
        unit: "ms",
        measure: |command| run(command, |said| said == "done"),
    };

    fn stage() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        Stage { cache: Cache::at(folder.path()), folder }
    }

    #[test]
    fn a_missing_peer_fails_the_lane_unless_it_is_left_out() {
        let error = LANE.run(&stage(), &[]).err().unwrap().to_string();
        assert_eq!(error, "no absent: get it, or leave it out with `--without absent`");
        let measured = LANE.run(&stage(), &["absent".to_owned()]).unwrap();
        let peers: Vec<_> = measured.peers.iter().map(|row| (row.name, row.sample.runs)).collect();
        assert_eq!(peers, [("slow", 3)]);
        assert_eq!(measured.ours.sample.runs, 3);
    }

    #[test]
    fn a_program_that_does_not_do_the_job_has_no_time() {
        let lane = Lane { ours: |_| Ok(shell("echo later")), peers: &[], ..LANE };
        let error = format!("{:#}", lane.run(&stage(), &[]).err().unwrap());
        assert_eq!(error, "ours: it did not do the job; it said: later");
    }
}
