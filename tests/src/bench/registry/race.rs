//! One comparison of programs that push or copy.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::image::{Images, MIB, Shape};
use super::program::{Daemons, FROM, Job, Program, TO, Task};
use super::server::{Kind, Server, in_memory};
use crate::bench::lane::Stage;
use crate::bench::report::{Outcome, Row};
use crate::bench::statistics::Sample;
use crate::bench::usage::{Usage, of_command, of_process, reset_peak};
use crate::process::{LONG, run};

/// A comparison.
pub(super) struct Race {
    pub(super) name: &'static str,
    pub(super) job: Job,
    pub(super) shape: Shape,
    pub(super) server: Kind,
    /// Of the way to the registry, in milliseconds.
    pub(super) round_trip: u64,
    pub(super) rounds: usize,
    pub(super) peers: &'static [Program],
    pub(super) goal: Goal,
}

/// What ours is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// A part of the fastest peer's time.
    Part(f64),
    /// That, or as good as nothing more than parallel PUTs take.
    PartOrPuts(f64),
    /// So many bytes a second.
    Rate(f64),
    /// So many MB, of memory instead of time.
    Memory(f64),
}

/// What ours may take of the time of parallel PUTs.
const OF_PUTS: f64 = 1.05;

/// A run that took this long counts even when it was to fill caches.
const SLOW_MS: f64 = 5000.0;
/// A program that took this long in all, and ran three times, need not run again.
const ENOUGH_MS: f64 = 8000.0;
/// Nor one that took this long, however often.
const MORE_THAN_ENOUGH_MS: f64 = 20_000.0;

/// What the runs of one program took.
struct Runner {
    program: Program,
    command: Command,
    runs: Vec<Usage>,
}

/// Where the runs take place.
struct Course<'a> {
    race: &'a Race,
    to: Server,
    /// For copies from another registry.
    from: Option<Server>,
    daemons: &'a Daemons,
    images: Images,
    folder: tempfile::TempDir,
}

impl Race {
    /// Runs all programs in turn.
    pub(super) fn run(
        &self,
        stage: &Stage,
        daemons: &Daemons,
        without: &[String],
        rounds: Option<usize>,
    ) -> Result<Outcome> {
        let course = Course::prepare(self, daemons)?;
        let peers = self.peers.iter().filter(|peer| !without.iter().any(|name| name == peer.name()));
        let mut runners = Vec::new();
        for program in [Program::Ours].iter().chain(peers) {
            let name = program.name();
            let command = program.command(stage, daemons, &course.task());
            let command = command
                .with_context(|| format!("no {name}: get it, or leave it out with `--without {name}`"))?;
            runners.push(Runner { program: *program, command, runs: Vec::new() });
        }
        // Caches are warm from the second round on, which memory does not care about.
        let warm_up = usize::from(!self.is_of_memory());
        for round in 0..warm_up + rounds.unwrap_or(self.rounds) {
            for runner in runners.iter_mut().filter(|runner| !runner.has_enough()) {
                let usage = course.run(runner).with_context(|| runner.program.name())?;
                if round >= warm_up || usage.took_ms > SLOW_MS {
                    runner.runs.push(usage);
                }
            }
        }
        let rows = runners.iter().map(|runner| self.row(runner, daemons)).collect::<Result<Vec<_>>>()?;
        Ok(self.outcome(rows))
    }

    fn is_of_memory(&self) -> bool {
        matches!(self.goal, Goal::Memory(_))
    }

    fn row(&self, runner: &Runner, daemons: &Daemons) -> Result<Row> {
        let all = |of: fn(&Usage) -> f64| runner.runs.iter().map(of).collect::<Vec<_>>();
        let taken = all(if self.is_of_memory() { |run| run.memory_mb } else { |run| run.took_ms });
        let usage = Usage {
            cpu_ms: Sample::of(&all(|run| run.cpu_ms)).median,
            memory_mb: all(|run| run.memory_mb).into_iter().fold(0.0, f64::max),
            took_ms: 0.0,
        };
        Ok(Row {
            name: runner.program.name(),
            version: runner.program.version(daemons)?,
            sample: Sample::of(&taken),
            usage: Some(usage),
        })
    }

    fn outcome(&self, rows: Vec<Row>) -> Outcome {
        let mut rows = rows.into_iter();
        let ours = rows.next().expect("ours runs in every race");
        let mut peers: Vec<Row> = rows.collect();
        peers.sort_by(|one, other| one.sample.median.total_cmp(&other.sample.median));
        let (area, lane) = ("registry", self.name);
        let unit = if self.is_of_memory() { "MB" } else { "ms" };
        let goal = self.goal.value(self.shape, &peers);
        Outcome { area, lane, about: self.about(), unit, goal, ours, peers }
    }

    /// What is compared, in one sentence.
    fn about(&self) -> String {
        let what = match self.shape {
            Shape::Layers(1, size) => format!("one layer of {} MiB", size >> 20),
            Shape::Layers(count, size) => format!("{count} layers of {} MiB", size >> 20),
            Shape::Images(count) => {
                format!("{count} images on one base of 8 MiB, each with a layer of 64 KiB")
            }
            Shape::Sparse(size) => format!("one layer of {} GiB", size >> 30),
        };
        let job = match self.job {
            Job::Push => "pushed to",
            Job::PushAgain => "pushed again to",
            Job::Copy if self.copies_across() => "copied from another registry to",
            Job::Copy => "copied to another repository of",
        };
        let server = match self.server {
            Kind::Distribution => "a docker-registry with its storage in memory",
            Kind::Sink => "a registry that throws bodies away",
        };
        let far = match self.round_trip {
            0 => String::new(),
            millis => format!(", {millis} ms away"),
        };
        format!("{what} {job} {server}{far}; {}", self.goal.about())
    }

    /// Small layers are copied within a registry, large ones from one to another.
    fn copies_across(&self) -> bool {
        self.job == Job::Copy && self.shape.layer() > MIB
    }
}

impl Goal {
    fn about(self) -> String {
        match self {
            Self::Part(part) => format!("goal: {part} of the fastest peer"),
            Self::PartOrPuts(part) => {
                format!("goal: {part} of the fastest peer, or {OF_PUTS} of parallel PUTs by curl")
            }
            Self::Rate(rate) => format!("goal: {} GB/s", rate / 1e9),
            Self::Memory(most) => format!("goal: {most} MB of resident memory at most"),
        }
    }

    /// In the unit of the race.
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    fn value(self, shape: Shape, peers: &[Row]) -> Option<f64> {
        let of = |part: f64, is_it: &dyn Fn(&Row) -> bool| {
            peers.iter().find(|peer| is_it(peer)).map(|peer| peer.sample.median * part)
        };
        let puts = |row: &Row| row.name == Program::Curl.name();
        match self {
            Self::Part(part) => of(part, &|_| true),
            Self::PartOrPuts(part) => {
                of(part, &|row| !puts(row)).into_iter().chain(of(OF_PUTS, &puts)).reduce(f64::max)
            }
            Self::Rate(rate) => Some(shape.size() as f64 / rate * 1000.0),
            Self::Memory(most) => Some(most),
        }
    }
}

impl Runner {
    fn has_enough(&self) -> bool {
        let took: f64 = self.runs.iter().map(|run| run.took_ms).sum();
        took > MORE_THAN_ENOUGH_MS || self.runs.len() >= 3 && took > ENOUGH_MS
    }
}

impl<'a> Course<'a> {
    fn prepare(race: &'a Race, daemons: &'a Daemons) -> Result<Self> {
        // A layer that takes no room on a disk would fill the memory.
        let sparse = matches!(race.shape, Shape::Sparse(_));
        let folder = if sparse { tempfile::tempdir()? } else { in_memory()? };
        let images = Images::write(folder.path(), race.shape)?;
        let round_trip = Duration::from_millis(race.round_trip);
        let to = Server::start(race.server, round_trip)?;
        let from = race.copies_across().then(|| Server::start(race.server, round_trip)).transpose()?;
        from.iter().try_for_each(|from| from.fill(&images, FROM))?;
        Ok(Self { race, to, from, daemons, images, folder })
    }

    fn task(&self) -> Task<'_> {
        let from = self.from.as_ref().unwrap_or(&self.to);
        Task {
            job: self.race.job,
            images: &self.images,
            to: self.to.address,
            from: from.address,
            folder: self.folder.path(),
        }
    }

    /// Once, on a registry that nobody pushed to; with the daemon that does the program's work.
    fn run(&self, runner: &Runner) -> Result<Usage> {
        self.ready(runner)?;
        let daemon = runner.program.daemon(self.daemons);
        daemon.map(reset_peak).transpose()?;
        let before = daemon.map(of_process).transpose()?.unwrap_or_default();
        let client = self.exec(runner)?;
        let after = daemon.map(of_process).transpose()?.unwrap_or_default();
        self.images.tags.iter().try_for_each(|tag| self.to.check(TO, tag))?;
        Ok(Usage {
            cpu_ms: client.cpu_ms + after.cpu_ms - before.cpu_ms,
            memory_mb: client.memory_mb.max(after.memory_mb),
            took_ms: client.took_ms,
        })
    }

    fn ready(&self, runner: &Runner) -> Result<()> {
        self.to.empty()?;
        if self.race.job == Job::Copy && self.from.is_none() {
            self.to.fill(&self.images, FROM)?;
        }
        runner.program.prepare(self.daemons, &self.task())?;
        if self.race.job == Job::PushAgain {
            self.exec(runner)?;
        }
        Ok(())
    }

    fn exec(&self, runner: &Runner) -> Result<Usage> {
        let file = self.folder.path().join("usage");
        crate::cache::remove(&file)?;
        run(&mut of_command(&runner.command, &file)?, LONG)?;
        Usage::read(&file)
    }
}

impl Drop for Course<'_> {
    fn drop(&mut self) {
        self.daemons.forget(&self.task());
    }
}
