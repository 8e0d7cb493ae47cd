//! Fuzzing: compiles the programs in each crate's `fuzz/` for libFuzzer and lets them look for a minute and a half.
//!
//! What `cargo fuzz` does, but on stable Rust and without it. What a run finds new it keeps in the lab's cache for the
//! next; what is worth keeping for good is in `fuzz/corpus` of the crate, through which `cargo test` goes too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::report::Row;
use super::{World, cargo};
use crate::cache::Cache;
use crate::process::{SHORT, run as ask};
use crate::programs;
use crate::progress;

/// A crate's folder, and its programs.
type Crate = (&'static str, &'static [&'static str]);

const CRATES: [Crate; 4] = [
    ("helm-plugin", &["files", "post_render"]),
    ("proto", &["decode", "requests"]),
    ("provider/build", &["dockerfile", "ignore"]),
    ("registry", &["answers", "archives", "layouts", "logins", "manifests", "names"]),
];

/// Counters at every edge and the operands of comparisons, which is what libFuzzer steers by.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// 2 GiB at most, and no input may take longer than ten seconds. The choices are the same in every run, so that a change is
/// judged by what it changed and not by luck: what the cache keeps is what takes runs further.
const LIMITS: [&str; 4] = ["-rss_limit_mb=2048", "-timeout=10", "-seed=1", "-print_final_stats=1"];
/// For all of them together.
const TIME: Duration = Duration::from_secs(90);

/// Files that never see a disk.
const MEMORY: &str = "/dev/shm";

/// As many at the same time as there are cores, each of which one keeps busy.
pub(super) fn run(world: &World<'_>, row: &mut Row) -> Result<()> {
    let folder = world.cache.join("fuzz");
    let programs = progress::step("compile the fuzzers", || build(&world.cache, &folder))?;
    let targets: Vec<Target> = targets().collect();
    let cores = available_parallelism()?.get();
    let rounds = targets.chunks(cores);
    let time = TIME / u32::try_from(rounds.len())?;
    let mut ended = Vec::new();
    for round in rounds {
        let start = |target: &Target| Fuzzer::start(*target, &programs, &folder, time);
        let running: Vec<_> = round.iter().map(start).collect::<Result<_>>()?;
        ended.extend(running.into_iter().map(|fuzzer| fuzzer.end(row)));
    }
    ended.into_iter().collect()
}

fn targets() -> impl Iterator<Item = Target> {
    CRATES.into_iter().flat_map(|(folder, names)| names.iter().map(move |name| Target { folder, name }))
}

/// The folder of the programs. A named target keeps the counters out of build scripts and macros.
fn build(cache: &Cache, folder: &Path) -> Result<PathBuf> {
    let version = ask(Command::new("rustc").arg("-vV"), SHORT)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    for (of, _) in CRATES {
        let mut command = programs::cargo(cache);
        command.args(["build", "--quiet", "--locked", "--release", "--target", host, "--manifest-path"]);
        command.arg(sources(of).join("Cargo.toml"));
        cargo::pass(command.env("CARGO_TARGET_DIR", folder).env("RUSTFLAGS", FLAGS))?;
    }
    Ok(folder.join(host).join("release"))
}

fn sources(of: &str) -> PathBuf {
    programs::checkout().join(of).join("fuzz")
}

/// A program, and the folder of the crate it belongs to.
#[derive(Debug, Clone, Copy)]
struct Target {
    folder: &'static str,
    name: &'static str,
}

struct Fuzzer {
    name: &'static str,
    process: Child,
    log: PathBuf,
}

impl Fuzzer {
    fn start(target: Target, programs: &Path, folder: &Path, time: Duration) -> Result<Self> {
        let Target { folder: of, name } = target;
        let (found, artifacts) = (folder.join("corpus").join(of).join(name), folder.join("artifacts"));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        }
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let mut command = Command::new(programs.join(name));
        command.args(LIMITS).arg(format!("-max_total_time={}", time.as_secs()));
        command.arg(format!("-artifact_prefix={}/{name}-", artifacts.display()));
        command.arg(found).arg(sources(of).join("corpus").join(name));
        if Path::new(MEMORY).is_dir() {
            command.env("TMPDIR", MEMORY); // some write what they are given to files, thousands of times a second
        }
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = command.spawn().with_context(|| format!("cannot run the fuzzer `{name}`"))?;
        Ok(Self { name, process, log })
    }

    fn end(mut self, row: &mut Row) -> Result<()> {
        let status = self.process.wait()?;
        let log = fs::read(&self.log)?;
        row.results.push(judge(self.name, status, &String::from_utf8_lossy(&log))?);
        Ok(())
    }
}

/// What to say of a run: how much it tried, or what it found and how to see it again.
fn judge(target: &str, status: ExitStatus, log: &str) -> Result<String> {
    if !status.success() {
        let reproducer =
            log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
        let found =
            log.lines().position(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer"));
        let report: Vec<_> = log.lines().skip(found.unwrap_or_default()).take(12).collect();
        bail!(
            "fuzzer `{target}` found {}\n{}",
            reproducer.unwrap_or("no input, but failed"),
            report.join("\n")
        );
    }
    let tried = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let tried = tried.map(str::trim).with_context(|| format!("fuzzer `{target}` ended without counting"))?;
    Ok(format!("fuzzer `{target}`: {tried} inputs, nothing found"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn every_program_is_run() {
        for (folder, names) in CRATES {
            let manifest = fs::read_to_string(sources(folder).join("Cargo.toml")).unwrap();
            let programs = manifest.lines().filter_map(|line| line.strip_prefix("path = \""));
            let programs: Vec<_> = programs.filter_map(|path| path.strip_suffix(".rs\"")).collect();
            assert_eq!(programs, names);
        }
    }

    #[test]
    fn a_finding_names_the_input_that_shows_it() {
        let log = "#12 NEW cov: 3\nthread '<unnamed>' panicked at proto/src/json.rs:7:5:\nindex out of bounds\n\
            artifact_prefix='/c/'; Test unit written to /c/decode-crash-0a\n";
        let error = judge("decode", ExitStatus::from_raw(77 << 8), log).unwrap_err().to_string();
        let expected = "fuzzer `decode` found /c/decode-crash-0a\nthread '<unnamed>' panicked at proto/src/json.rs:7:5:\n\
            index out of bounds\n";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_quiet_run_says_how_much_it_tried() {
        let log = "#2 INITED\nDone 9 runs in 1 second(s)\nstat::number_of_executed_units: 9\n";
        let words = judge("decode", ExitStatus::from_raw(0), log).unwrap();
        assert_eq!(words, "fuzzer `decode`: 9 inputs, nothing found");
        assert!(judge("decode", ExitStatus::from_raw(0), "").is_err());
    }
}
