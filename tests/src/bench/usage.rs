//! What a program costs the machine: its processor time and its memory.
//!
//! A program that another one starts is measured by a script in its place, see `stand_in`, which runs it
//! below `xtask meter`. A parent alone is told these numbers, and only when its child has ended.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use super::lane::millis;

/// What `xtask meter` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where a line of JSON is added when the program has ended
    file: PathBuf,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

/// What one process has taken, with those that it waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usage {
    /// User and system time together.
    pub(super) cpu_ms: f64,
    /// The largest resident size of a process.
    pub(super) memory_mb: f64,
    /// From exec to exit.
    #[serde(default)]
    pub(super) took_ms: f64,
}

/// Runs the program with our streams, and adds a line to the file.
///
/// # Errors
/// When it cannot be run, or fails.
pub fn meter(arguments: &Arguments) -> Result<()> {
    let (program, rest) = arguments.command.split_first().context("no program to measure")?;
    let start = Instant::now();
    let status = Command::new(program).args(rest).status().context("cannot run the program")?;
    let usage = Usage { took_ms: millis(start), ..Usage::of_children()? };
    let mut file = File::options().create(true).append(true).open(&arguments.file)?;
    writeln!(file, "{}", serde_json::to_string(&usage)?)?;
    anyhow::ensure!(status.success(), "the program failed ({status})");
    Ok(())
}

impl Usage {
    #[expect(clippy::cast_precision_loss, reason = "kilobytes and microseconds of one process")]
    fn of_children() -> Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let (user, system) = (usage.user_time(), usage.system_time());
        let micros = (user.tv_sec() + system.tv_sec()) * 1_000_000 + user.tv_usec() + system.tv_usec();
        let (cpu_ms, memory_mb) = (micros as f64 / 1000.0, usage.max_rss() as f64 / 1024.0);
        Ok(Self { cpu_ms, memory_mb, took_ms: 0.0 })
    }

    /// What several processes took, one after another; a file that is not there tells of none.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().try_fold(Self::default(), |sum, line| {
            let one: Self = serde_json::from_str(line)?;
            Ok(Self {
                cpu_ms: sum.cpu_ms + one.cpu_ms,
                memory_mb: sum.memory_mb.max(one.memory_mb),
                took_ms: sum.took_ms + one.took_ms,
            })
        })
    }
}

/// The command that runs a program and has it measured. Its arguments can be added.
pub(super) fn metered(program: &Path, file: &Path) -> Result<Command> {
    // Not by its name: that may be another program's by now, compiled while this one runs.
    let this = Path::new("/proc/self/exe");
    let this = if this.exists() { this.to_owned() } else { std::env::current_exe()? };
    let mut command = Command::new(this);
    command.arg("meter").arg(file).arg(program);
    Ok(command)
}

/// The same command, measured.
pub(super) fn of_command(command: &Command, file: &Path) -> Result<Command> {
    let mut whole = metered(Path::new(command.get_program()), file)?;
    whole.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => whole.env(name, value),
            None => whole.env_remove(name),
        };
    }
    Ok(whole)
}

/// Forgets the largest size that a process had so far.
pub(super) fn reset_peak(pid: i32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("cannot forget the peak of a process")
}

/// What a running process has taken so far; its largest size since the last [`reset_peak`].
#[expect(clippy::cast_precision_loss, reason = "kilobytes and clock ticks of one process")]
pub(super) fn of_process(pid: i32) -> Result<Usage> {
    const TICK_MS: f64 = 10.0; // Linux tells users a hundred a second, whatever it counts itself
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold spaces; then come fields 3 and on.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    let kilobytes: u64 = peak.context("no size of the process")?.parse()?;
    Ok(Usage { cpu_ms: ticks as f64 * TICK_MS, memory_mb: kilobytes as f64 / 1024.0, took_ms: 0.0 })
}

/// Writes a script that is the program, and has it measured.
pub(super) fn stand_in(script: &Path, program: &Path, file: &Path) -> Result<()> {
    let this = std::env::current_exe()?;
    let words = [this.as_path(), Path::new("meter"), file, program];
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    fs::write(script, format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" ")))?;
    Ok(fs::set_permissions(script, Permissions::from_mode(0o755))?)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usage");
        assert_eq!(Usage::read(&file).unwrap(), Usage::default());
        let lines = "{\"cpu_ms\":1.5,\"memory_mb\":7}\n{\"cpu_ms\":2,\"memory_mb\":6,\"took_ms\":5}\n";
        fs::write(&file, lines).unwrap();
        assert_eq!(Usage::read(&file).unwrap(), Usage { cpu_ms: 3.5, memory_mb: 7.0, took_ms: 5.0 });
    }

    #[test]
    fn a_process_that_runs_is_measured() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let usage = of_process(pid).unwrap();
        assert!(usage.memory_mb > 0.0 && usage.cpu_ms >= 0.0, "{usage:?}");
    }

    #[test]
    fn a_program_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usage");
        let command = ["sh", "-c", "exit 3"].map(OsString::from).to_vec();
        let error = meter(&Arguments { file: file.clone(), command }).unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(Usage::read(&file).unwrap().memory_mb > 0.0);
    }
}
