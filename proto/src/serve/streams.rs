//! Standard input, output and error: kept for ourselves, and led elsewhere for everybody else.
//!
//! What another library prints to standard output would break the protocol, and a child process that
//! inherited one of Terraform's pipes would keep Terraform waiting for its end.

use std::{fs::File, io, sync::Arc};

/// The streams as Terraform gave them. No child inherits these.
pub(super) struct Streams {
    pub(super) stdout: Arc<File>,
    pub(super) stderr: Arc<File>,
    pub(super) detached: Detached,
}

impl Streams {
    /// Takes them from everybody else.
    pub(super) fn take() -> io::Result<Self> {
        let (stdout, stderr) = (Arc::new(stdout()?), Arc::new(stderr()?));
        let detached = Detached::detach(&stderr)?;
        Ok(Self { stdout, stderr, detached })
    }
}

pub(super) use system::{Detached, stderr, stdout};

#[cfg(unix)]
mod system {
    use std::{
        fs::File,
        io::{self, BufRead as _, BufReader, PipeReader, Read as _, Write as _, stderr as std_stderr},
        os::fd::AsFd as _,
        sync::{Arc, mpsc},
        thread,
        time::Duration,
    };

    use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

    /// Terraform reads no longer lines.
    const MAX_LINE: u64 = 60 << 10;

    /// How long to wait at the end for what was printed last.
    const LAST_LINES: Duration = Duration::from_millis(100);

    pub(crate) fn stdout() -> io::Result<File> {
        io::stdout().as_fd().try_clone_to_owned().map(File::from)
    }

    pub(crate) fn stderr() -> io::Result<File> {
        std_stderr().as_fd().try_clone_to_owned().map(File::from)
    }

    /// The standard streams, led elsewhere.
    pub(crate) struct Detached {
        stderr: Arc<File>,
        forwarded: mpsc::Receiver<()>,
    }

    impl Detached {
        pub(super) fn detach(stderr: &Arc<File>) -> io::Result<Self> {
            let nowhere = File::options().read(true).write(true).open("/dev/null")?;
            dup2_stdin(&nowhere)?;
            dup2_stdout(&nowhere)?;
            let (printed, pipe) = io::pipe()?;
            dup2_stderr(pipe)?;
            let (done, forwarded) = mpsc::channel();
            let terraform = Arc::clone(stderr);
            thread::Builder::new().name("stderr".to_owned()).spawn(move || {
                forward(printed, &terraform);
                drop(done);
            })?;
            Ok(Self { stderr: Arc::clone(stderr), forwarded })
        }

        /// Gives standard error back, after what was printed so far. A child may still have the pipe.
        pub(crate) fn give_back(self) {
            if dup2_stderr(&*self.stderr).is_ok() {
                let _closed = self.forwarded.recv_timeout(LAST_LINES);
            }
        }
    }

    /// Line by line, so that no line ends up in the middle of one of our logs.
    fn forward(printed: PipeReader, mut terraform: &File) {
        let mut printed = BufReader::new(printed);
        let mut line = Vec::new();
        while (&mut printed).take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            // A closed pipe is nobody's to know.
            let _ = terraform.write_all(&line);
            line.clear();
        }
    }
}

#[cfg(windows)]
mod system {
    use std::{fs::File, io, os::windows::io::AsHandle as _, sync::Arc};

    pub(crate) fn stdout() -> io::Result<File> {
        io::stdout().as_handle().try_clone_to_owned().map(File::from)
    }

    pub(crate) fn stderr() -> io::Result<File> {
        io::stderr().as_handle().try_clone_to_owned().map(File::from)
    }

    /// The standard streams as they were: there is no safe way to lead them elsewhere.
    pub(crate) struct Detached;

    impl Detached {
        pub(super) fn detach(_: &Arc<File>) -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn give_back(self) {}
    }
}
