//! One comparison of programs that push or copy.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::image::{Images, Shape};
use super::program::{Daemons, FROM, Job, Program, TO, Task};
use super::server::{Kind, Server, in_memory};
use crate::bench::lane::{Stage, millis};
use crate::bench::report::{Outcome, Row};
use crate::bench::statistics::Sample;
use crate::bench::usage::{Usage, metered, of_process, reset_peak};
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
    /// So many MB, of memory instead of time.
    Memory(f64),
}

/// What ours may take of the time of parallel PUTs.
const OF_PUTS: f64 = 1.05;

/// What the runs of one program took.
struct Runner {
    program: Program,
    command: Command,
    taken: Vec<f64>,
    usage: Usage,
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
            runners.push(Runner { program: *program, command, taken: Vec::new(), usage: Usage::default() });
        }
        for round in 0..=rounds.unwrap_or(self.rounds) {
            for runner in &mut runners {
                let name = runner.program.name();
                let took = course.run(runner).with_context(|| name)?;
                if round > 0 {
                    runner.taken.push(took);
                }
            }
        }
        let measure = |runner| course.measured(runner);
        let rows = runners.into_iter().map(measure).collect::<Result<Vec<_>>>()?;
        Ok(self.outcome(rows))
    }

    fn outcome(&self, rows: Vec<Row>) -> Outcome {
        let mut rows = rows.into_iter();
        let ours = rows.next().expect("ours runs in every race");
        let mut peers: Vec<Row> = rows.collect();
        peers.sort_by(|one, other| one.sample.median.total_cmp(&other.sample.median));
        let (area, lane) = ("registry", self.name);
        let unit = if matches!(self.goal, Goal::Memory(_)) { "MB" } else { "ms" };
        let goal = self.goal.value(&peers);
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
            Job::Copy if self.copies_across() => "copied from one docker-registry to",
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
        self.job == Job::Copy && matches!(self.shape, Shape::Layers(_, size) if size > super::image::MIB)
    }
}

impl Goal {
    fn about(self) -> String {
        match self {
            Self::Part(part) => format!("goal: {part} of the fastest peer"),
            Self::PartOrPuts(part) => {
                format!("goal: {part} of the fastest peer, or {OF_PUTS} of parallel PUTs by curl")
            }
            Self::Memory(most) => format!("goal: {most} MB of resident memory at most"),
        }
    }

    /// In the unit of the race.
    fn value(self, peers: &[Row]) -> Option<f64> {
        let of = |part: f64, is_it: &dyn Fn(&Row) -> bool| {
            peers.iter().find(|peer| is_it(peer)).map(|peer| peer.sample.median * part)
        };
        let puts = |row: &Row| row.name == Program::Curl.name();
        match self {
            Self::Part(part) => of(part, &|_| true),
            Self::PartOrPuts(part) => {
                of(part, &|row| !puts(row)).into_iter().chain(of(OF_PUTS, &puts)).reduce(f64::max)
            }
            Self::Memory(most) => Some(most),
        }
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

    /// Once, on a registry that nobody pushed to; gives milliseconds.
    fn run(&self, runner: &mut Runner) -> Result<f64> {
        self.ready(runner)?;
        let start = Instant::now();
        self.exec(&mut runner.command)?;
        let took = millis(start);
        self.images.tags.iter().try_for_each(|tag| self.to.check(TO, tag))?;
        Ok(took)
    }

    fn ready(&self, runner: &mut Runner) -> Result<()> {
        self.to.empty()?;
        if self.race.job == Job::Copy {
            self.from.as_ref().unwrap_or(&self.to).fill(&self.images, FROM)?;
        }
        runner.program.prepare(self.daemons, &self.task())?;
        if self.race.job == Job::PushAgain {
            self.exec(&mut runner.command)?;
        }
        Ok(())
    }

    /// What the program says goes to a file: nobody has to read it while it runs.
    fn exec(&self, command: &mut Command) -> Result<()> {
        let log = self.folder.path().join("said");
        let said = std::fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let status = command.status().context("cannot run it")?;
        ensure!(status.success(), "it failed ({status}): {}", std::fs::read_to_string(&log)?.trim_end());
        Ok(())
    }

    /// Once more, for what it takes of processor and memory; with the daemon that works for it.
    fn measured(&self, mut runner: Runner) -> Result<Row> {
        let file = self.folder.path().join("usage");
        crate::cache::remove(&file)?;
        self.ready(&mut runner)?;
        let mut command = metered(std::path::Path::new(runner.command.get_program()), &file)?;
        command.args(runner.command.get_args());
        for (name, value) in runner.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let daemon = runner.program.daemon(self.daemons);
        daemon.map(reset_peak).transpose()?;
        let before = daemon.map(of_process).transpose()?.unwrap_or_default();
        run(&mut command, LONG)?;
        let after = daemon.map(of_process).transpose()?.unwrap_or_default();
        let client = Usage::read(&file)?;
        runner.usage = Usage {
            cpu_ms: client.cpu_ms + after.cpu_ms - before.cpu_ms,
            memory_mb: client.memory_mb.max(after.memory_mb),
        };
        let taken = if matches!(self.race.goal, Goal::Memory(_)) {
            &[runner.usage.memory_mb][..]
        } else {
            &runner.taken
        };
        Ok(Row {
            name: runner.program.name(),
            version: runner.program.version(self.daemons)?,
            sample: Sample::of(taken),
            usage: Some(runner.usage),
        })
    }
}
