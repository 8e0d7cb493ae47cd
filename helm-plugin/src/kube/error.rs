//! Why the API server did not give what was asked for.

use std::{fmt, io, time::Duration};

use crate::{exit::Exit, failure::Explain};

/// Something could not be read from a cluster.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what} of cluster `{cluster}`")]
pub(crate) struct KubeError {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The path in its API.
    pub(crate) what: String,
    /// Why.
    #[source]
    pub(crate) reason: Reason,
}

/// A field that somebody else has set since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// By which name: `kubectl-set`, a controller's.
    pub(crate) manager: String,
    /// The field, as Kubernetes writes it: `spec.template.spec.containers[name="web"].image`.
    pub(crate) field: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (by {})", self.field, self.manager)
    }
}

/// What stood in the way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    /// The cluster's certificate authority, or the machine's network, is unusable.
    #[error("no connection can be made")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no token for it.
    #[error("{0}")]
    Token(String),
    /// Nobody answered, or not to the end.
    #[error("no answer")]
    NoAnswer(#[source] reqwest::Error),
    /// The API server said no.
    #[error("{status}: {message}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// The API server's words.
        message: String,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// Others own fields of what was to be applied.
    #[error("others have set {}", .0.iter().map(Conflict::to_string).collect::<Vec<_>>().join(", "))]
    Conflicts(Vec<Conflict>),
    /// The answer is longer than anything that was asked for.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    /// The answer is something else.
    #[error("the answer is no JSON")]
    NotJson(#[source] serde_json::Error),
}

impl Reason {
    /// Whether asking again can help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Refused { status, .. } => matches!(status, 429 | 500 | 502..=504),
            Self::Setup(_) | Self::Token(_) | Self::Conflicts(_) | Self::TooLong(_) | Self::NotJson(_) => {
                false
            }
        }
    }

    /// The status of HTTP that it was refused with.
    pub(crate) fn status(&self) -> Option<u16> {
        if let Self::Refused { status, .. } = self { Some(*status) } else { None }
    }
}

impl From<reqwest::Error> for Reason {
    fn from(error: reqwest::Error) -> Self {
        Self::NoAnswer(error.without_url())
    }
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self::Setup(Box::new(error))
    }
}

impl Explain for KubeError {
    fn exit(&self) -> Exit {
        Exit::Access
    }
}
