//! How the process ends, and who may ask for it.

use std::{
    io, process,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::socket::Place;

/// After this the process ends even if something hangs. Terraform kills a provider two seconds after it
/// asked it to end.
const LAST_EXIT: Duration = Duration::from_millis(800);

/// The exit code of a process in which something hung.
const HUNG: u8 = 70;

/// What Ctrl-C means.
#[derive(Clone, Copy)]
pub(super) enum Interrupts {
    /// It reaches the whole process group; Terraform tells us itself what it wants then.
    Ignore,
    /// The user ends us.
    End,
}

/// The end of the process. Whoever asks for it first says the exit code.
#[derive(Clone)]
pub(super) struct Ending {
    begun: CancellationToken,
    code: Arc<OnceLock<u8>>,
    place: Place,
}

impl Ending {
    /// `place` is removed at the end.
    pub(super) fn new(place: Place) -> Self {
        Self { begun: CancellationToken::new(), code: Arc::default(), place }
    }

    /// Waits until someone asked for the end.
    pub(super) fn begun(&self) -> WaitForCancellationFutureOwned {
        self.begun.clone().cancelled_owned()
    }

    /// Lets the process end: when the calls under way are answered, or soon, whatever they do.
    pub(super) fn begin(&self, code: u8) {
        if self.code.set(code).is_ok() {
            let late = self.clone();
            thread::spawn(move || {
                thread::sleep(LAST_EXIT);
                late.force();
            });
            self.begun.cancel();
        }
    }

    /// Removes what would stay behind and gives the exit code.
    pub(super) fn complete(&self) -> u8 {
        self.place.remove();
        self.code.get().copied().unwrap_or_default()
    }

    /// Something hangs: there is nobody to return to.
    fn force(&self) {
        let code = self.complete();
        process::exit(if code == 0 { HUNG } else { code }.into());
    }

    /// Listens for signals from now on.
    pub(super) fn obey(&self, interrupts: Interrupts) -> io::Result<()> {
        match interrupts {
            Interrupts::Ignore => {
                system::on_interrupt(|| {})?;
                let orphaned = self.clone();
                tokio::spawn(async move {
                    system::orphaned().await;
                    orphaned.begin(1);
                });
            }
            Interrupts::End => {
                let ending = self.clone();
                system::on_interrupt(move || ending.begin(0))?;
            }
        }
        let ending = self.clone();
        system::on_termination(move || ending.begin(143))
    }
}

#[cfg(unix)]
mod system {
    use std::{io, time::Duration};

    use rustix::process::getppid;
    use tokio::{
        signal::unix::{SignalKind, signal},
        time::interval,
    };

    /// How soon a provider notices that Terraform is gone.
    const LOOK: Duration = Duration::from_millis(500);

    pub(super) fn on_interrupt(act: impl Fn() + Send + 'static) -> io::Result<()> {
        on(SignalKind::interrupt(), act)
    }

    pub(super) fn on_termination(act: impl Fn() + Send + 'static) -> io::Result<()> {
        on(SignalKind::terminate(), act)
    }

    fn on(kind: SignalKind, act: impl Fn() + Send + 'static) -> io::Result<()> {
        let mut signals = signal(kind)?;
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                act();
            }
        });
        Ok(())
    }

    /// Waits until another process has become our parent: ours has ended without a word.
    ///
    /// Looking is what every Unix can do. Linux's signal for it (`PR_SET_PDEATHSIG`) comes already when
    /// the parent's thread ends that started us, as threads of Go programs do; a closed pipe may mean
    /// that the host has read all it wanted.
    pub(super) async fn orphaned() {
        let parent = getppid();
        let mut looks = interval(LOOK);
        while getppid() == parent {
            looks.tick().await;
        }
    }
}

#[cfg(windows)]
mod system {
    use std::{future, io};

    use tokio::signal::windows::{ctrl_break, ctrl_c};

    pub(super) fn on_interrupt(act: impl Fn() + Send + 'static) -> io::Result<()> {
        let mut signals = ctrl_c()?;
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                act();
            }
        });
        Ok(())
    }

    pub(super) fn on_termination(act: impl Fn() + Send + 'static) -> io::Result<()> {
        let mut signals = ctrl_break()?;
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                act();
            }
        });
        Ok(())
    }

    /// Nothing tells us here; hosts on Windows end their plugins with them.
    pub(super) async fn orphaned() {
        future::pending().await
    }
}
