//! What asks this process to stop.

use std::{fmt, io, time::Duration};

use rustix::process::{Pid, getppid};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep_until},
};

use crate::exit::Exit;

const PARENT_CHECK: Duration = Duration::from_millis(500);

/// A request to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// A request to terminate.
    Terminate,
    /// The terminal is gone.
    HangUp,
    /// The helm that started us has ended: it does so at once on a signal, without telling us.
    ParentGone,
    /// Nothing can help the rollout any more. We ask it of ourselves.
    GivenUp,
    /// The time is over that there was for all of it.
    Deadline,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Deadline { "the deadline has passed" } else { "stopped" })
    }
}

impl Stop {
    /// How the process ends because of it.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate | Self::HangUp | Self::ParentGone => Exit::Terminated,
            Self::GivenUp => Exit::ReleaseFailed,
            Self::Deadline => Exit::Failure,
        }
    }
}

/// Hears requests to stop from the moment it is made.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    parent: Option<Pid>,
    deadline: Option<Instant>,
}

impl Signals {
    /// Starts to listen. `watch_parent` is for a process that helm started as its plugin.
    pub(crate) fn listen(watch_parent: bool) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            parent: if watch_parent { getppid() } else { None },
            deadline: None,
        })
    }

    /// Makes the end of this time a request to stop.
    pub(crate) fn end_after(&mut self, time: Duration) {
        self.deadline = Some(Instant::now() + time);
    }

    /// The next request. The end of the parent and that of the time are reported once.
    pub(crate) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
            _ = self.hang_up.recv() => Stop::HangUp,
            () = parent_gone(self.parent) => {
                self.parent = None;
                Stop::ParentGone
            }
            () = sleep_until(self.deadline.unwrap_or_else(Instant::now)), if self.deadline.is_some() => {
                self.deadline = None;
                Stop::Deadline
            }
        }
    }
}

async fn parent_gone(parent: Option<Pid>) {
    if parent.is_none() {
        return std::future::pending().await;
    }
    while getppid() == parent {
        tokio::time::sleep(PARENT_CHECK).await;
    }
}
