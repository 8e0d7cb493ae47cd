//! One command, from its start to its end.

use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use super::provider_bugs;

/// Why a command gave no answer.
#[derive(thiserror::Error)]
pub enum CliError {
    /// There is nothing to test with.
    #[error(
        "there is no Terraform and no OpenTofu to test with: name some in the variable TFPLUGIN_TEST_CLIS \
         (or LAB_TERRAFORM), a list of paths like PATH"
    )]
    Missing,
    /// It cannot be run.
    #[error("cannot run `{command}`")]
    Start {
        /// The command.
        command: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is another program.
    #[error("`{program}` is neither Terraform nor OpenTofu; it says: {said}")]
    Stranger {
        /// Where it is.
        program: String,
        /// What it says about its version.
        said: String,
    },
    /// A file of the workspace cannot be written or read.
    #[error("cannot use `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It was killed because it did not end.
    #[error("`{command}` did not end within {} s", limit.as_secs())]
    Late {
        /// The command.
        command: String,
        /// How long it was given.
        limit: Duration,
    },
    /// It failed.
    #[error("{0}")]
    Failed(Box<Run>),
    /// Its output is not the JSON it should be.
    #[error("`{command}` printed something unexpected")]
    Unreadable {
        /// The command.
        command: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The message and its causes, readable when a test unwraps it.
impl fmt::Debug for CliError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")?;
        std::error::Error::source(self).map_or(Ok(()), |cause| write!(out, ": {cause}"))
    }
}

/// A command that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The command, as one would type it.
    pub command: String,
    /// Its exit code, if no signal killed it.
    pub code: Option<i32>,
    /// What it wrote to standard output, without colours.
    pub stdout: String,
    /// What it wrote to standard error, without colours.
    pub stderr: String,
    /// The calls that the provider answered, by the names it logs as `tf_rpc`.
    pub calls: BTreeSet<String>,
    /// The provider's log.
    pub log: String,
}

impl Run {
    /// Whether it succeeded.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// All that it wrote.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The same, as an error if it failed or calls the provider faulty.
    ///
    /// # Errors
    /// [`CliError::Failed`].
    pub fn sound(self) -> Result<Self, CliError> {
        if self.succeeded() && provider_bugs(&self.output()).is_empty() {
            Ok(self)
        } else {
            Err(CliError::Failed(Box::new(self)))
        }
    }

    pub(super) fn json(&self) -> Result<serde_json::Value, CliError> {
        serde_json::from_str(&self.stdout)
            .map_err(|source| CliError::Unreadable { command: self.command.clone(), source })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` ended with {:?}:\n{}", self.command, self.code, self.output())
    }
}

/// A command that runs, with all processes it started. Dropping it kills them.
#[derive(Debug)]
pub struct Running {
    command: String,
    child: Child,
    outputs: [Receiver<Vec<u8>>; 2],
    log: PathBuf,
    ended: bool,
}

impl Running {
    pub(super) fn start(mut command: Command, shown: String, log: PathBuf) -> Result<Self, CliError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("TF_LOG_PROVIDER", "TRACE").env("TF_LOG_PATH", &log);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let failed = |source| CliError::Start { command: shown.clone(), source };
        let mut child = command.spawn().map_err(failed)?;
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        Ok(Self { command: shown, child, outputs: [read(stdout), read(stderr)], log, ended: false })
    }

    /// What the provider logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Interrupts it, as Ctrl-C in a terminal does: the program and its providers get the signal.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// Waits for its end, and kills it when the time is over.
    ///
    /// # Errors
    /// [`CliError::Late`], or [`CliError::Start`] if its end cannot be seen.
    pub fn wait(mut self, limit: Duration) -> Result<Run, CliError> {
        let late = CliError::Late { command: self.command.clone(), limit };
        let mut texts = Vec::new();
        // Both ends of output come with the end of the last process that could write.
        for output in &self.outputs {
            match output.recv_timeout(limit) {
                Ok(bytes) => texts.push(String::from_utf8_lossy(&bytes).into_owned()),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(late),
            }
        }
        let status = self.child.wait();
        self.ended = true;
        let status = status.map_err(|source| CliError::Start { command: self.command.clone(), source })?;
        let (log, stderr) = (self.log(), texts.pop().unwrap_or_default());
        let stdout = texts.pop().unwrap_or_default();
        let command = std::mem::take(&mut self.command);
        Ok(Run { command, code: status.code(), stdout, stderr, calls: calls(&log), log })
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            // It may have ended by itself.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        #[cfg(unix)]
        self.signal(rustix::process::Signal::KILL);
        // It may have ended by itself; it is reaped either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a failure is what there is.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// The values of `tf_rpc` in a log, in text or in JSON.
fn calls(log: &str) -> BTreeSet<String> {
    let values = log.split("tf_rpc").skip(1).map(|rest| {
        let rest = rest.trim_start_matches(['"', ':', '=', ' ']);
        rest.split(|one: char| !one.is_ascii_alphanumeric() && one != '_').next().unwrap_or_default()
    });
    values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Instant};

    use super::*;

    #[test]
    fn finds_calls_in_logs() {
        let log = "… [DEBUG] provider.x: answered: tf_rpc=read_resource tf_provider_addr=a\n\
                   {\"@message\":\"answered\",\"tf_rpc\":\"PlanResourceChange\"}\ntf_rpc=\n";
        assert_eq!(calls(log).into_iter().collect::<Vec<_>>(), ["PlanResourceChange", "read_resource"]);
    }

    const LIMIT: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Running {
        logging(script, Path::new("/nowhere/at/all"))
    }

    fn logging(script: &str, log: &Path) -> Running {
        let mut command = Command::new("env");
        // Under a shell that runs the tests in the background SIGINT is ignored, and no child can change that.
        if cfg!(target_os = "linux") {
            command.arg("--default-signal=INT");
        }
        command.args(["sh", "-c", script]);
        Running::start(command, script.to_owned(), log.to_owned()).unwrap()
    }

    #[test]
    fn waits_and_does_not_wait_for_ever() {
        let run = shell("echo out; echo err >&2; exit 3").wait(LIMIT).unwrap();
        assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(3), "out\n", "err\n"));
        assert!(run.clone().sound().unwrap_err().to_string().contains("ended with Some(3)"));
        // A child of a child holds the pipe as well.
        let error = shell("sleep 100 & wait").wait(Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, CliError::Late { .. }), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn interrupts_reach_the_whole_group() {
        let folder = tempfile::tempdir().unwrap();
        // The inner shell becomes the sleep: a shell holds signals back while it forks, and its child would get none.
        let script = "sh -c 'echo begun >\"$TF_LOG_PATH\"; exec sleep 100'; echo on";
        let running = logging(script, &folder.path().join("log"));
        let start = Instant::now();
        while running.log().is_empty() {
            assert!(start.elapsed() < LIMIT, "the shell does not begin");
            thread::sleep(Duration::from_millis(5));
        }
        running.interrupt();
        let run = running.wait(LIMIT).unwrap();
        assert_eq!((run.code, &*run.stdout), (None, ""));
    }
}
