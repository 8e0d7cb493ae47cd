//! Fuzzing: compiles the programs in `proto/fuzz` for libFuzzer and lets each look for a minute.
//!
//! What `cargo fuzz` does, but on stable Rust and without it. What a run finds new it keeps in the lab's cache for the
//! next; what is worth keeping for good is in `proto/fuzz/corpus`, through which `cargo test` goes too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use super::report::Row;
use super::{World, cargo};
use crate::cache::Cache;
use crate::process::{SHORT, run as ask};
use crate::programs;
use crate::progress;

const TARGETS: [&str; 2] = ["decode", "requests"];

/// Counters at every edge and the operands of comparisons, which is what libFuzzer steers by.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// A minute each, 2 GiB at most, and no input may take longer than ten seconds.
const LIMITS: [&str; 4] = ["-max_total_time=60", "-rss_limit_mb=2048", "-timeout=10", "-max_len=4096"];

/// All targets at the same time: each keeps one core busy.
pub(super) fn run(world: &World<'_>, row: &mut Row) -> Result<()> {
    let folder = world.cache.join("fuzz");
    let programs = progress::step("compile the fuzzers", || build(&world.cache, &folder))?;
    let running: Vec<_> =
        TARGETS.iter().map(|target| Fuzzer::start(target, &programs, &folder)).collect::<Result<_>>()?;
    let ended: Vec<_> = running.into_iter().map(|fuzzer| fuzzer.end(row)).collect();
    ended.into_iter().collect()
}

/// The folder of the programs. A named target keeps the counters out of build scripts and macros.
fn build(cache: &Cache, folder: &Path) -> Result<PathBuf> {
    let version = ask(Command::new("rustc").arg("-vV"), SHORT)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let mut command = programs::cargo(cache);
    command.args(["build", "--quiet", "--locked", "--release", "--target", host, "--manifest-path"]);
    command.arg(sources().join("Cargo.toml"));
    cargo::pass(command.env("CARGO_TARGET_DIR", folder).env("RUSTFLAGS", FLAGS))?;
    Ok(folder.join(host).join("release"))
}

fn sources() -> PathBuf {
    programs::checkout().join("proto/fuzz")
}

struct Fuzzer {
    target: &'static str,
    process: Child,
    log: PathBuf,
}

impl Fuzzer {
    fn start(target: &'static str, programs: &Path, folder: &Path) -> Result<Self> {
        let found = folder.join("corpus").join(target);
        let artifacts = folder.join("artifacts");
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        }
        let log = folder.join(format!("{target}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let mut command = Command::new(programs.join(target));
        command.args(LIMITS).arg("-print_final_stats=1");
        command.arg(format!("-artifact_prefix={}/{target}-", artifacts.display()));
        command.arg(found).arg(sources().join("corpus").join(target));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = command.spawn().with_context(|| format!("cannot run the fuzzer `{target}`"))?;
        Ok(Self { target, process, log })
    }

    fn end(mut self, row: &mut Row) -> Result<()> {
        let status = self.process.wait()?;
        let log = fs::read(&self.log)?;
        row.results.push(judge(self.target, status, &String::from_utf8_lossy(&log))?);
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
