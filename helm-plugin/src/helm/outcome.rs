//! What became of a release, read from the release itself and never from how Helm ended.

use std::fmt;

use serde::Deserialize;

use crate::exit::Exit;

/// A release as `helm status -o json` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseState {
    /// Its latest revision.
    pub(crate) revision: u64,
    /// Helm's word: `deployed`, `failed`, `pending-upgrade`, …
    pub(crate) status: String,
    /// Helm's remark on the revision.
    pub(crate) description: String,
}

impl ReleaseState {
    /// Reads what Helm printed.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Release {
            version: u64,
            info: Info,
        }
        #[derive(Deserialize)]
        struct Info {
            status: String,
            #[serde(default)]
            description: String,
        }
        let Release { version, info } = serde_json::from_slice(json)?;
        Ok(Self { revision: version, status: info.status, description: info.description })
    }
}

impl ReleaseState {
    /// Reads what `helm history -o json` printed.
    pub(crate) fn parse_history(json: &[u8]) -> Result<Vec<Self>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Entry {
            revision: u64,
            status: String,
            #[serde(default)]
            description: String,
        }
        let revisions: Vec<Entry> = serde_json::from_slice(json)?;
        let state = |Entry { revision, status, description }| Self { revision, status, description };
        Ok(revisions.into_iter().map(state).collect())
    }
}

/// What could be found out about a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is there.
    Release(ReleaseState),
    /// There is none of this name.
    Nothing,
    /// It could not be read, for this reason.
    Unreadable(String),
}

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Deployed as asked.
    Deployed {
        /// As this revision.
        revision: u64,
    },
    /// Helm did not get as far as a revision of its own.
    Untouched,
    /// Failed, and Helm rolled back to what was there.
    RolledBack {
        /// As this revision.
        revision: u64,
    },
    /// A first installation failed, and Helm took it away.
    Removed,
    /// Failed, and stays so.
    Failed {
        /// This revision.
        revision: u64,
        /// Helm's remark.
        description: String,
    },
    /// An operation is under way, or was killed.
    Pending {
        /// Helm's word.
        status: String,
    },
    /// Nobody knows.
    Unknown {
        /// What stood in the way.
        reason: String,
    },
}

/// What was asked of Helm, as far as it decides how the release is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The revision that a deployment would have made.
    pub(crate) revision: u64,
    /// Whether Helm was to roll back on failure: of a first installation it leaves nothing then.
    pub(crate) rollback: bool,
}

/// Judges what is found after Helm ended.
pub(crate) fn judge(asked: Asked, found: Found) -> Outcome {
    let expected = asked.revision;
    let state = match found {
        Found::Unreadable(reason) => return Outcome::Unknown { reason },
        Found::Nothing if asked.rollback => return Outcome::Removed,
        Found::Nothing => return Outcome::Untouched,
        Found::Release(state) => state,
    };
    let ReleaseState { revision, status, description } = state;
    match status.as_str() {
        status if status.starts_with("pending-") || status == "uninstalling" => {
            Outcome::Pending { status: status.to_owned() }
        }
        _ if revision < expected => Outcome::Untouched,
        "deployed" if revision == expected => Outcome::Deployed { revision },
        "deployed" if description.starts_with("Rollback") => Outcome::RolledBack { revision },
        "failed" => Outcome::Failed { revision, description },
        status => Outcome::Unknown { reason: format!("revision {revision} is {status}: {description}") },
    }
}

impl Outcome {
    /// One word for programs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Deployed { .. } => "deployed",
            Self::Untouched => "unchanged",
            Self::RolledBack { .. } => "rolled-back",
            Self::Removed => "removed",
            Self::Failed { .. } => "failed",
            Self::Pending { .. } => "pending",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Deployed { .. } => Exit::Done,
            Self::Untouched => Exit::Failure,
            Self::RolledBack { .. } | Self::Removed => Exit::RolledBack,
            Self::Failed { .. } => Exit::ReleaseFailed,
            Self::Pending { .. } => Exit::Pending,
            Self::Unknown { .. } => Exit::Unknown,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployed { revision } => write!(f, "deployed as revision {revision}"),
            Self::Untouched => f.write_str("unchanged: helm ended before it made a revision"),
            Self::RolledBack { revision } => write!(f, "rolled back to what it was, as revision {revision}"),
            Self::Removed => f.write_str("not installed: nothing of it is left"),
            Self::Failed { revision, description } => {
                write!(f, "failed at revision {revision}: {description}")
            }
            Self::Pending { status } => write!(f, "{status}: another operation holds it, or one was killed"),
            Self::Unknown { reason } => write!(f, "in an unknown state: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(revision: u64, status: &str, description: &str) -> Found {
        let json =
            serde_json::json!({"version": revision, "info": {"status": status, "description": description}});
        Found::Release(ReleaseState::parse(json.to_string().as_bytes()).unwrap())
    }

    fn check(revision: u64, rollback: bool, found: Found, outcome: &str, exit: Exit) {
        let got = judge(Asked { revision, rollback }, found);
        assert_eq!((got.to_string().as_str(), got.exit()), (outcome, exit));
    }

    #[test]
    fn rule_7_judges_by_the_release() {
        check(3, true, release(3, "deployed", "Upgrade complete"), "deployed as revision 3", Exit::Done);
        check(
            3,
            false,
            release(3, "failed", "context canceled"),
            "failed at revision 3: context canceled",
            Exit::ReleaseFailed,
        );
        check(
            3,
            true,
            release(4, "deployed", "Rollback to 2"),
            "rolled back to what it was, as revision 4",
            Exit::RolledBack,
        );
        check(
            3,
            false,
            release(2, "deployed", "Upgrade complete"),
            "unchanged: helm ended before it made a revision",
            Exit::Failure,
        );
        check(1, true, Found::Nothing, "not installed: nothing of it is left", Exit::RolledBack);
        check(1, false, Found::Nothing, "unchanged: helm ended before it made a revision", Exit::Failure);
        check(
            3,
            false,
            release(3, "pending-upgrade", "Preparing upgrade"),
            "pending-upgrade: another operation holds it, or one was killed",
            Exit::Pending,
        );
        check(
            3,
            true,
            release(4, "superseded", "x"),
            "in an unknown state: revision 4 is superseded: x",
            Exit::Unknown,
        );
        check(
            3,
            true,
            Found::Unreadable("no answer".to_owned()),
            "in an unknown state: no answer",
            Exit::Unknown,
        );
    }
}
