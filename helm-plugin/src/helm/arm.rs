//! The first moments of every Helm that we run: this program again, which ties the process to its parent and then
//! becomes Helm.
//!
//! Helm that outlives us would go on unseen. The kernel's parent-death signal survives the exec; it belongs to the
//! thread that spawned, so all spawning is done by the main thread.

use std::{ffi::OsString, io, os::unix::process::CommandExt as _, process::Command};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// The hidden verb: `eks-deploy __helm PARENT PROGRAM ARGUMENT…`.
pub(crate) const VERB: &str = "__helm";

/// Becomes the program; returns only if that cannot be.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> io::Error {
    let parent = arguments.next().and_then(|text| text.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let (Some(parent), Some(program)) = (parent, arguments.next()) else {
        return io::Error::new(io::ErrorKind::InvalidInput, "this verb is eks-deploy's own");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return error.into();
    }
    // The parent may have ended before the signal was armed.
    if getppid() != Some(parent) {
        return io::Error::other("eks-deploy has ended");
    }
    Command::new(program).args(arguments).exec()
}
