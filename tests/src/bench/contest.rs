//! Several programs that do the same in turn, round by round, each run of which may be measured in several ways: every
//! way is a lane of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::report::{Outcome, Row};
use super::statistics::Sample;
use super::usage::{Usage, of_command, of_process, reset_peak};
use crate::process::{LONG, run};

/// A program, and how it does the job.
pub(super) struct Entrant<'a> {
    pub(super) name: &'static str,
    pub(super) version: String,
    /// Makes ready, has it do the job for the so-manieth time, and sees to it that it is done. The first run is not
    /// counted.
    pub(super) run: Box<dyn FnMut(usize) -> Result<Taken> + 'a>,
}

/// What a run took.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    pub(super) usage: Usage,
    /// What else was seen of it, by names that its lanes know.
    pub(super) figures: BTreeMap<&'static str, f64>,
}

impl Taken {
    /// One of the figures; no number where it was not seen.
    pub(super) fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(f64::NAN)
    }
}

/// A way to look at the runs.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) unit: &'static str,
    /// The entrant that is ours.
    pub(super) ours: &'static str,
    /// Entrants of ours that belong to other lanes.
    pub(super) others: &'static [&'static str],
    pub(super) of: fn(&Taken) -> f64,
    /// What ours is to reach, by what the peers took; the fastest of these is the first.
    pub(super) goal: fn(&[Row]) -> Option<f64>,
}

/// The lane that looks at time.
pub(super) const TIME: Lane = Lane {
    name: "",
    about: "",
    unit: "ms",
    ours: OURS,
    others: &[],
    of: |taken| taken.usage.took_ms,
    goal: |_| None,
};
pub(super) const OURS: &str = "ours";

/// Runs in a world, and the lanes that they are looked at in.
pub(super) struct Heat<World: 'static> {
    pub(super) rounds: usize,
    /// Told who is left out and how many rounds there are.
    pub(super) run: fn(&World, &[String], usize) -> Result<Vec<Finished>>,
    pub(super) lanes: &'static [Lane],
}

/// What the command line wants of an area.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) is_meant: &'a dyn Fn(&str) -> bool,
    pub(super) without: &'a [String],
    pub(super) rounds: Option<usize>,
}

/// The names of all lanes of an area.
pub(super) fn names<World>(
    area: &'static str,
    heats: &'static [Heat<World>],
) -> impl Iterator<Item = String> {
    heats.iter().flat_map(|heat| heat.lanes).map(move |lane| format!("{area}/{}", lane.name))
}

/// Runs what the lanes that are meant need; each outcome is told as soon as it is there.
pub(super) fn run_all<World>(
    area: &'static str,
    heats: &[Heat<World>],
    world: &World,
    wanted: Wanted<'_>,
    mut told: impl FnMut(&str, Result<Outcome>),
) {
    for heat in heats {
        let named = heat.lanes.iter().map(|lane| (format!("{area}/{}", lane.name), lane));
        let lanes: Vec<_> = named.filter(|(name, _)| (wanted.is_meant)(name)).collect();
        let Some((first, _)) = lanes.first() else { continue };
        crate::progress::say(format_args!("{first}"));
        match (heat.run)(world, wanted.without, wanted.rounds.unwrap_or(heat.rounds)) {
            Ok(finished) => lanes.iter().for_each(|(name, lane)| told(name, lane.outcome(area, &finished))),
            Err(error) => told(first, Err(error)),
        }
    }
}

/// A part of what the best peer took.
pub(super) fn part(part: f64, peers: &[Row]) -> Option<f64> {
    peers.first().map(|best| best.sample.median * part)
}

/// A part of what this peer took.
pub(super) fn part_of(part: f64, name: &str, peers: &[Row]) -> Option<f64> {
    let peer = peers.iter().find(|peer| peer.name == name)?;
    Some(peer.sample.median * part)
}

/// Bytes as megabytes.
#[expect(clippy::cast_precision_loss, reason = "files are shorter than 2^53 bytes")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// All runs of an entrant.
pub(super) struct Finished {
    name: &'static str,
    version: String,
    taken: Vec<Taken>,
}

/// Lets all of them run, `rounds` times after the one that is not counted.
pub(super) fn compete(mut entrants: Vec<Entrant<'_>>, rounds: usize) -> Result<Vec<Finished>> {
    let mut taken = vec![Vec::new(); entrants.len()];
    for round in 0..=rounds {
        for (entrant, taken) in entrants.iter_mut().zip(&mut taken) {
            let run = (entrant.run)(round).with_context(|| entrant.name)?;
            if round > 0 {
                taken.push(run);
            }
        }
    }
    let finished = |(entrant, taken): (Entrant<'_>, _)| {
        let Entrant { name, version, .. } = entrant;
        Finished { name, version, taken }
    };
    Ok(entrants.into_iter().zip(taken).map(finished).collect())
}

impl Lane {
    /// What the runs come to, looked at in this way.
    pub(super) fn outcome(&self, area: &'static str, finished: &[Finished]) -> Result<Outcome> {
        let mut rows: Vec<Row> =
            finished.iter().filter(|one| !self.others.contains(&one.name)).map(|one| self.row(one)).collect();
        let ours = rows.iter().position(|row| row.name == self.ours).context("ours runs in every lane")?;
        let ours = Row { name: OURS, ..rows.remove(ours) };
        rows.sort_by(|one, other| one.sample.median.total_cmp(&other.sample.median));
        let Self { name: lane, about, unit, goal, .. } = *self;
        Ok(Outcome { area, lane, about: about.to_owned(), unit, goal: goal(&rows), ours, peers: rows })
    }

    fn row(&self, finished: &Finished) -> Row {
        let measured: Vec<f64> = finished.taken.iter().map(self.of).collect();
        let usage = finished.taken.last().map(|taken| taken.usage);
        let (name, version) = (finished.name, finished.version.clone());
        Row { name, version, sample: Sample::of(&measured), usage }
    }
}

/// Runs the command, measured in a file of this folder, with the daemon that works for it. `is_done` tells by what
/// it said whether it did the job.
pub(super) fn measured(
    command: &Command,
    folder: &Path,
    daemon: Option<i32>,
    is_done: impl FnOnce(&str) -> bool,
) -> Result<Usage> {
    let file = folder.join("usage");
    crate::cache::remove(&file)?;
    daemon.map(reset_peak).transpose()?;
    let before = daemon.map(of_process).transpose()?.unwrap_or_default();
    let said = run(&mut of_command(command, &file)?, LONG)?;
    anyhow::ensure!(is_done(&said), "it did not do the job; it said: {said}");
    let after = daemon.map(of_process).transpose()?.unwrap_or_default();
    let client = Usage::read(&file)?;
    Ok(Usage {
        cpu_ms: client.cpu_ms + after.cpu_ms - before.cpu_ms,
        memory_mb: client.memory_mb.max(after.memory_mb),
        ..client
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrant(name: &'static str, took: f64) -> Entrant<'static> {
        let run = move |round: usize| {
            let took_ms = if round == 0 { 1000.0 } else { took };
            let figures = [("size", took * 2.0)].into();
            Ok(Taken { usage: Usage { took_ms, ..Usage::default() }, figures })
        };
        Entrant { name, version: String::new(), run: Box::new(run) }
    }

    #[test]
    fn runs_are_looked_at_in_several_ways() {
        let entrants =
            vec![entrant("warm", 1.0), entrant("slow", 9.0), entrant("fast", 4.0), entrant(OURS, 2.0)];
        let finished = compete(entrants, 3).unwrap();
        let check = |lane: Lane, ours: f64, peers: &[(&str, f64)], goal: Option<f64>| {
            let outcome = lane.outcome("build", &finished).unwrap();
            let rows: Vec<_> = outcome.peers.iter().map(|row| (row.name, row.sample.median)).collect();
            assert_eq!((outcome.ours.sample.median, &rows[..]), (ours, peers), "{}", lane.name);
            assert_eq!((outcome.ours.name, outcome.ours.sample.runs, outcome.goal), (OURS, 3, goal));
        };
        let time = Lane { others: &["warm"], goal: |peers| part(0.5, peers), ..TIME };
        check(time, 2.0, &[("fast", 4.0), ("slow", 9.0)], Some(2.0));
        let size =
            Lane { of: |taken| taken.figure("size"), goal: |peers| part_of(1.0, "slow", peers), ..time };
        check(size, 4.0, &[("fast", 8.0), ("slow", 18.0)], Some(18.0));
        let warm = Lane { ours: "warm", others: &[OURS], goal: |_| None, ..time };
        check(warm, 1.0, &[("fast", 4.0), ("slow", 9.0)], None);
    }
}
