//! What asks this process to stop.

use std::{io, time::Duration};

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{Signal, SignalKind, signal};

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
}

impl Stop {
    /// How the process ends because of it.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate | Self::HangUp | Self::ParentGone => Exit::Terminated,
            Self::GivenUp => Exit::ReleaseFailed,
        }
    }
}

/// Hears requests to stop from the moment it is made.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    parent: Option<Pid>,
}

impl Signals {
    /// Starts to listen. `watch_parent` is for a process that helm started as its plugin.
    pub(crate) fn listen(watch_parent: bool) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            parent: if watch_parent { getppid() } else { None },
        })
    }

    /// The next request. The end of the parent is reported once.
    pub(crate) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
            _ = self.hang_up.recv() => Stop::HangUp,
            () = parent_gone(self.parent) => {
                self.parent = None;
                Stop::ParentGone
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
