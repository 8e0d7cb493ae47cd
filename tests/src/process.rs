//! Child programs: one that ends is run with a time limit; one that stays is a [`Service`], known by pid and start time.
//!
//! Knows no program by name.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use serde::{Deserialize, Serialize};

/// Long enough for a program that only asks or tells something.
pub const SHORT: Duration = Duration::from_mins(1);
/// Long enough for a cold build on a small machine.
pub const LONG: Duration = Duration::from_mins(40);

const PAUSE: Duration = Duration::from_millis(100);
const TAIL_BYTES: u64 = 4_000;

/// Runs the program to its end and gives what it wrote to stdout.
///
/// # Errors
/// When it cannot start, does not end in time (it is killed), or fails; the error then carries the end of its stderr.
pub fn run(command: &mut Command, limit: Duration) -> Result<String> {
    run_with_input(command, limit, |_| Ok(()))
}

/// As [`run`], and `feed` writes the program's stdin.
pub fn run_with_input(
    command: &mut Command,
    limit: Duration,
    feed: impl FnOnce(&mut dyn std::io::Write) -> Result<()>,
) -> Result<String> {
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::piped()).stdout(out.try_clone()?).stderr(err.try_clone()?);
    let mut child = spawn(command)?;
    let written = feed(&mut child.stdin.take().context("stdin is piped")?);
    let status = end(&mut child, limit)?.with_context(|| {
        format!("{} did not end within {} s\n{}", words(command), limit.as_secs(), tail(&mut err).trim_end())
    })?;
    ensure!(status.success(), "{} failed ({status})\n{}", words(command), tail(&mut err).trim_end());
    written.with_context(|| format!("cannot write the input of {}", words(command)))?;
    out.rewind()?;
    let mut text = String::new();
    out.read_to_string(&mut text).with_context(|| format!("{} printed no UTF-8", words(command)))?;
    Ok(text)
}

/// Whether the program runs and succeeds; a program that is not there does not.
pub fn succeeds(command: &mut Command, limit: Duration) -> bool {
    run(command, limit).is_ok()
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().with_context(|| format!("cannot run {}", words(command)))
}

/// Waits for the child; kills it and gives nothing when the time is over.
fn end(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    if ended(Pid::from_child(child), limit)? {
        return Ok(Some(child.wait()?));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Whether the process ends within the limit; one that does not exist has ended.
fn ended(pid: Pid, limit: Duration) -> Result<bool> {
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(true) };
    let mut waits = [PollFd::from_borrowed_fd(handle.as_fd(), PollFlags::IN)];
    Ok(poll(&mut waits, Some(&limit.try_into()?))? > 0)
}

/// The command as a reader would type it, shortened.
fn words(command: &Command) -> String {
    let mut line = String::from("`");
    line.push_str(&Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy());
    for argument in command.get_args().map(OsStr::to_string_lossy) {
        line.push(' ');
        line.push_str(&argument);
    }
    let cut = line.char_indices().nth(160).map_or(line.len(), |(at, _)| at);
    format!("{}`", &line[..cut])
}

fn tail(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let length = file.metadata().map_or(0, |data| data.len());
    let read = file
        .seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))
        .and_then(|_| file.take(TAIL_BYTES).read_to_end(&mut bytes));
    read.map_or_else(|error| format!("(no log: {error})"), |_| String::from_utf8_lossy(&bytes).into_owned())
}

/// A program that stays when we end. Pid and start time together name a process for good: pids are used again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What the reader calls it.
    pub name: String,
    /// Its process, which leads a process group of its own.
    pub pid: i32,
    /// Clock ticks between the machine's boot and its start.
    started: u64,
    /// Where its output goes.
    pub log: PathBuf,
}

impl Service {
    /// Starts the program apart from our terminal, with its output in `log`.
    pub fn start(name: &str, command: &mut Command, log: PathBuf) -> Result<Self> {
        let file = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        let child = spawn(command)?;
        let pid = Pid::from_child(&child).as_raw_pid();
        let started = stat(pid).with_context(|| format!("{name} ended at once"))?.started;
        Ok(Self { name: name.to_owned(), pid, started, log })
    }

    /// Whether this very process still runs.
    pub fn is_alive(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && !matches!(stat.state, 'Z' | 'X'))
    }

    /// Asks `ready` again and again until it says yes.
    ///
    /// # Errors
    /// When the process ends, or the time is over; both with the end of its log.
    pub fn wait_until(&self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !ready() {
            let trouble = if !self.is_alive() {
                "ended".to_owned()
            } else if start.elapsed() > limit {
                format!("is not ready after {} s", limit.as_secs())
            } else {
                sleep(PAUSE);
                continue;
            };
            bail!("{} {trouble}; the end of `{}`:\n{}", self.name, self.log.display(), self.log_tail());
        }
        Ok(())
    }

    /// Ends the process, first politely, and whatever is left of its group.
    pub fn stop(&self, grace: Duration) -> Result<()> {
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) else { return Ok(()) };
        kill_process(pid, Signal::TERM).with_context(|| format!("cannot stop {}", self.name))?;
        if !ended(pid, grace)? {
            kill_process(pid, Signal::KILL)?;
            ended(pid, grace)?;
        }
        let _nobody_left = kill_process_group(pid, Signal::KILL);
        Ok(())
    }

    fn log_tail(&self) -> String {
        File::open(&self.log).map_or_else(|error| error.to_string(), |mut file| tail(&mut file))
    }
}

/// Asks `ready` until it gives a value or the time is over.
pub fn poll_until<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        ensure!(start.elapsed() < limit, "{what}: not within {} s", limit.as_secs());
        sleep(PAUSE);
    }
}

struct Stat {
    state: char,
    started: u64,
}

/// Fields 3 and 22 of `/proc/<pid>/stat`; the name in field 2 may hold spaces and brackets.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    Some(Stat { state: fields.next()?.chars().next()?, started: fields.nth(18)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_carries_the_end_of_stderr() {
        assert_eq!(run(&mut shell("echo hello"), SHORT).unwrap(), "hello\n");
        let error = run(&mut shell("echo no such thing >&2; exit 3"), SHORT).unwrap_err().to_string();
        assert!(error.ends_with("failed (exit status: 3)\nno such thing"), "{error}");
    }

    #[test]
    fn input_reaches_the_program() {
        let text = run_with_input(&mut Command::new("cat"), SHORT, |stdin| Ok(stdin.write_all(b"layer")?));
        assert_eq!(text.unwrap(), "layer");
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let error = run(&mut shell("exec sleep 600"), Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }

    #[test]
    fn a_service_lives_until_it_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut sleeper = shell("echo up; exec sleep 600");
        let service = Service::start("sleeper", &mut sleeper, folder.path().join("log")).unwrap();
        service
            .wait_until(SHORT, || fs::read_to_string(&service.log).is_ok_and(|text| text == "up\n"))
            .unwrap();
        assert!(service.is_alive());
        let another = Service { started: service.started + 1, ..service.clone() };
        assert!(!another.is_alive(), "the pid alone must not be trusted");
        service.stop(SHORT).unwrap();
        assert!(!service.is_alive());
    }

    #[test]
    fn a_service_that_ends_shows_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut broken = shell("sleep 0.2; echo address already in use; exit 1");
        let service = Service::start("registry", &mut broken, folder.path().join("log")).unwrap();
        let error = service.wait_until(SHORT, || false).unwrap_err().to_string();
        assert!(error.starts_with("registry ended") && error.contains("address already in use"), "{error}");
    }
}
