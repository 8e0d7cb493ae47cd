//! How the process ends: one number per kind of ending, the same for every verb.
//!
//! Under `helm eks-deploy` Helm passes the number on and adds a line of its own.

use std::process::ExitCode;

/// The exit codes, documented in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Something failed that has no code of its own. Nothing was changed.
    Failure = 1,
    /// Something would change; only if that was asked for as an exit code.
    Changes = 2,
    /// An image is not pinned, or cannot be. Nothing was changed.
    ImagePolicy = 3,
    /// No way into AWS or the cluster.
    Access = 4,
    /// The release failed and Helm took it back.
    RolledBack = 5,
    /// The release failed and stays as it is.
    ReleaseFailed = 6,
    /// The release is pending: another operation holds it, or was killed.
    Pending = 7,
    /// Helm ended and the release could not be read.
    Unknown = 8,
    /// The command line, the environment or the file is wrong.
    Usage = 64,
    /// Ended by an interrupt.
    Interrupted = 130,
    /// Ended by a request to terminate.
    Terminated = 143,
}

/// The table that `--help` shows.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failure; nothing was changed
  2    something would change (only with --detailed-exitcode)
  3    an image is not pinned; nothing was changed
  4    no access to AWS or to the cluster
  5    the release failed and was rolled back
  6    the release failed and was not rolled back
  7    the release is pending or held by another operation
  8    the state of the release is unknown
  64   the command line, an environment variable or the file is wrong
  130  interrupted (Ctrl-C)
  143  terminated";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_code() {
        let listed: Vec<u8> =
            HELP.lines().skip(1).filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
        let all = [
            Exit::Done,
            Exit::Failure,
            Exit::Changes,
            Exit::ImagePolicy,
            Exit::Access,
            Exit::RolledBack,
            Exit::ReleaseFailed,
            Exit::Pending,
            Exit::Unknown,
            Exit::Usage,
            Exit::Interrupted,
            Exit::Terminated,
        ];
        assert_eq!(listed, all.map(|exit| exit as u8));
    }
}
