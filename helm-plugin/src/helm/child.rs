//! One process of Helm.
//!
//! Its output goes to files that we read on the way, never to a pipe: a Helm whose reader has died is killed by
//! SIGPIPE in the middle of cancelling, and leaves the release pending. It has a process group of its own, so that a
//! Ctrl-C reaches it through us, once.

use std::{
    fs::File,
    io::{self, Read as _, Write},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{
    io::AsyncWriteExt as _,
    process::Command,
    time::{Instant, interval, sleep_until},
};

use crate::{
    signals::Stop,
    talk::{beside, say},
};

/// How often output is shown.
const SHOW_EVERY: Duration = Duration::from_millis(100);
/// What a second request to stop leaves Helm to finish what the first one made it do.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// What Helm reads from stdin.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Nothing.
    Nothing,
    /// What we were given ourselves.
    Ours,
    /// This document.
    Document(&'a [u8]),
}

/// A running process. Dropped before its end, it is asked to terminate.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    pid: Option<Pid>,
}

impl Child {
    /// Starts the process; a document is written to it in the background.
    pub(crate) fn spawn(mut command: Command, input: Input<'_>) -> io::Result<Self> {
        command.process_group(0).stdin(match input {
            Input::Nothing => Stdio::null(),
            Input::Ours => Stdio::inherit(),
            Input::Document(_) => Stdio::piped(),
        });
        let mut process = command.spawn()?;
        if let (Input::Document(document), Some(mut stdin)) = (input, process.stdin.take()) {
            let document = document.to_vec();
            // Helm that does not read to the end says itself why.
            drop(tokio::spawn(async move { stdin.write_all(&document).await }));
        }
        let pid = process.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        Ok(Self { process, pid })
    }

    /// Waits for the end.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.process.wait().await;
        self.pid = None;
        status
    }

    /// Asks the process, and none of those that it started, to terminate.
    fn terminate(&self) {
        self.pid.map(|pid| kill_process(pid, Signal::TERM));
    }

    /// Ends the process and all that it started.
    fn kill(&self) {
        self.pid.map(|pid| kill_process_group(pid, Signal::KILL));
    }

    /// Waits for the end while showing what is written. The first request to stop is handed on, once; a second one
    /// kills after the grace. `next_stop` is asked anew all the time, and must lose nothing when it is dropped.
    pub(crate) async fn watch(
        &mut self,
        shown: &mut [Shown],
        mut next_stop: impl AsyncFnMut() -> Stop,
        grace: Duration,
    ) -> io::Result<(ExitStatus, Option<Stop>)> {
        let mut tick = interval(SHOW_EVERY);
        let mut stop = None;
        let mut kill_at: Option<Instant> = None;
        loop {
            tokio::select! {
                status = self.wait() => {
                    for one in shown {
                        one.show(true);
                    }
                    return Ok((status?, stop));
                }
                _ = tick.tick() => shown.iter_mut().for_each(|one| one.show(false)),
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    kill_at = None;
                    self.kill();
                }
                next = next_stop() => if stop.is_none() {
                    stop = Some(next);
                    say("stopping: helm is cancelling the release; once more kills it");
                    self.terminate();
                } else if kill_at.is_none() {
                    say(&format!("killing helm in {} seconds unless it ends", grace.as_secs()));
                    kill_at = Some(Instant::now() + grace);
                },
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.terminate();
    }
}

/// Makes a line fit to be shown; `None` leaves it out.
pub(crate) type Fit = Box<dyn FnMut(&str) -> Option<String>>;

/// A file that Helm writes, shown line by line on one of our own outputs as it grows.
pub(crate) struct Shown {
    file: File,
    output: Box<dyn Write>,
    fit: Fit,
    /// How much of the text that is.
    until: usize,
    /// Everything read, for those that look for a reason afterwards.
    pub(crate) text: Vec<u8>,
}

impl Shown {
    /// Shows `file`, read from its start, on `output`.
    pub(crate) fn new(file: File, output: impl Write + 'static, fit: Fit) -> Self {
        Self { file, output: Box::new(output), fit, until: 0, text: Vec::new() }
    }

    /// Shows the lines that have come since, and at the end the one that nothing has ended.
    fn show(&mut self, at_end: bool) {
        // An output that is gone is no reason to stop a deployment.
        let _ = self.file.read_to_end(&mut self.text);
        let last = self.text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let end = if at_end { self.text.len() } else { last.max(self.until) };
        let lines = String::from_utf8_lossy(&self.text[self.until..end]);
        let shown: String = lines.lines().filter_map(|line| Some((self.fit)(line)? + "\n")).collect();
        self.until = end;
        if !shown.is_empty() {
            beside(|| {
                let _ = self.output.write_all(shown.as_bytes()).and_then(|()| self.output.flush());
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// Runs a shell that says on stdout when it is ready, and asks it to stop as many times from then on.
    async fn check(script: &str, requests: usize, code: Option<i32>, signal: Option<i32>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        let mut child = Child::spawn(command, Input::Nothing).unwrap();
        let mut stdout = child.process.stdout.take().unwrap();
        let mut left = requests;
        let next_stop = async || {
            if left == requests {
                stdout.read_u8().await.unwrap();
            } else if left == 0 {
                std::future::pending::<()>().await;
            }
            left -= 1;
            Stop::Interrupt
        };
        let (status, stop) = child.watch(&mut [], next_stop, Duration::ZERO).await.unwrap();
        assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
        assert_eq!(stop, Some(Stop::Interrupt));
    }

    #[tokio::test]
    async fn rule_6_the_first_request_terminates_and_the_second_kills() {
        let (term, kill) = (Signal::TERM.as_raw(), Signal::KILL.as_raw());
        check("echo; exec sleep 600", 1, None, Some(term)).await;
        check("trap 'kill $!; exit 3' TERM; sleep 600 & echo; wait", 1, Some(3), None).await;
        check("trap '' TERM; echo; exec sleep 600", 2, None, Some(kill)).await;
    }
}
