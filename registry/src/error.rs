//! What can go wrong between this machine and a registry, in words a person can act on.

mod denied;
mod hint;
mod quoted;

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

pub use denied::Denied;
pub(crate) use quoted::quoted;

use crate::{
    content::{LocalError, ManifestError},
    names::{Digest, Host, Repository, Tag, Version},
    settings::NetworkError,
};

/// A cause from another library, shared because one failure may answer several callers.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Something that could not be done with something in a registry.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action} `{object}`")]
pub struct Error {
    /// What was being done.
    pub action: Action,
    /// To what: a reference, a repository, a host.
    pub object: String,
    /// What prevented it.
    #[source]
    pub kind: Box<ErrorKind>,
}

/// What was being done when an error came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Asking what a tag or digest is.
    LookUp,
    /// Fetching a manifest or a blob.
    Read,
    /// Sending an image.
    Push,
    /// Pointing a tag at an image.
    Tag,
    /// Taking a tag away.
    Untag,
    /// Asking what ECR knows about it.
    Describe,
    /// Deleting an image.
    Delete,
    /// Making a repository.
    Create,
    /// Having an image scanned.
    Scan,
    /// Asking for what a scan found.
    ReadScan,
    /// Setting up the client.
    SetUp,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LookUp => "look up",
            Self::Read => "read",
            Self::Push => "push",
            Self::Tag => "tag",
            Self::Untag => "untag",
            Self::Describe => "describe",
            Self::Delete => "delete",
            Self::Create => "create",
            Self::Scan => "scan",
            Self::ReadScan => "read the scan of",
            Self::SetUp => "set up access to",
        })
    }
}

/// What prevented it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ErrorKind {
    /// The registry has no such image.
    #[error("the registry has no such image")]
    ImageMissing,
    /// The repository has no such tag.
    #[error("the repository has no tag `{0}`")]
    TagMissing(Tag),
    /// The registry has no such repository.
    #[error("repository `{0}` does not exist")]
    RepositoryMissing(Repository),
    /// The registry knows who asks, and refuses.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The registry wants to know who asks, and no credentials were found.
    #[error("no credentials for `{host}` (tried: {})", tried.join(", "))]
    NoCredentials {
        /// The registry.
        host: Host,
        /// Where credentials were looked for, in order.
        tried: Vec<String>,
    },
    /// The registry does not accept the credentials.
    #[error("`{host}` does not accept the credentials from {origin}{}", after(message))]
    CredentialsRefused {
        /// The registry.
        host: Host,
        /// Where the credentials come from.
        origin: String,
        /// The registry's words.
        message: String,
    },
    /// AWS gave no credentials, or no registry password for them.
    #[error("AWS gives no registry password{}", after(message))]
    AwsCredentials {
        /// AWS's words, code first, or what kept the request from being sent.
        message: String,
    },
    /// The tag exists, points elsewhere and cannot be moved.
    #[error("tag `{tag}` is immutable{}", points_to.map(|there| format!(" and points to {there}, not to {wanted}")).unwrap_or_default())]
    TagImmutable {
        /// The tag.
        tag: Tag,
        /// What it points at, as far as known.
        points_to: Option<Digest>,
        /// What it was to point at.
        wanted: Digest,
    },
    /// Not the bytes that were asked for.
    #[error("the content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// The digest asked for.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// Not as long as it was said to be.
    #[error("the content has {actual} bytes, not {expected}")]
    SizeMismatch {
        /// Bytes announced.
        expected: u64,
        /// Bytes found.
        actual: u64,
    },
    /// Longer than can be taken into memory.
    #[error("the content is longer than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// What came is no manifest.
    #[error("what the registry has there is not an image this program can use")]
    Manifest(#[from] ManifestError),
    /// The manifest names content that the registry does not have.
    #[error("the registry misses content that the manifest names{}", after(.0))]
    ContentMissing(String),
    /// The registry refuses for a reason of its own.
    #[error("the registry refuses: {status}{}", after(message))]
    Refused {
        /// The HTTP status, or the API's error code.
        status: String,
        /// The registry's words, code first.
        message: String,
    },
    /// The registry asks for fewer requests.
    #[error("the registry asks to slow down{}", after(.0))]
    Throttled(String),
    /// The registry is in trouble.
    #[error("the registry is in trouble: {status}{}", after(message))]
    Unavailable {
        /// The HTTP status.
        status: String,
        /// The registry's words.
        message: String,
    },
    /// The answer is none that a registry gives.
    #[error("the answer is not a registry's: {0}")]
    Protocol(String),
    /// No connection, or it broke.
    #[error("no answer from `{host}`: {trouble}")]
    NoAnswer {
        /// The host that was addressed, with the mapping of endpoints applied.
        host: String,
        /// In what way.
        trouble: Trouble,
        /// The HTTP client's error.
        #[source]
        cause: Option<Cause>,
    },
    /// A file to be sent or written.
    #[error("file `{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: Arc<io::Error>,
    },
    /// A folder or file with images.
    #[error(transparent)]
    Local(#[from] Box<LocalError>),
    /// A file with logins: docker's configuration, or that of podman and its relatives.
    #[error("`{}`, which may have the login, cannot be read", path.display())]
    AuthFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        cause: Cause,
    },
    /// A program that keeps logins.
    #[error("credential helper `{program}` gives no login: {message}")]
    CredentialHelper {
        /// The program.
        program: String,
        /// What it said, or what was wrong with it.
        message: String,
    },
    /// Only ECR can do this.
    #[error("`{0}` is not a private ECR registry with AWS access, and only ECR's API can do this")]
    NotEcr(Host),
    /// ECR tells this to another account than the one that asks.
    #[error("only account {account} itself may ask this, and the credentials are of account {caller}")]
    OtherAccount {
        /// The account of the registry.
        account: String,
        /// The account that asks.
        caller: String,
    },
    /// One more than ECR has room for, or does in a day.
    #[error("a quota of ECR is used up{}", after(.0))]
    QuotaExceeded(String),
    /// What ECR does on its own takes longer than was to be waited.
    #[error("the {what} is {state} after {} seconds", waited.as_secs())]
    NotOver {
        /// What ECR does.
        what: &'static str,
        /// Where it stands.
        state: String,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// A proxy, a mirror or a file of certificates that cannot be used.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client does not start")]
    Client(#[source] Cause),
}

/// How a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The name is not known.
    Dns,
    /// The other side's certificate is not trusted, or TLS failed otherwise.
    Tls,
    /// Nobody listens there.
    Connect,
    /// The proxy on the way is not reached, or lets nothing through.
    Proxy,
    /// Nothing came, or nothing was taken, for too long.
    Timeout,
    /// The connection broke in the middle.
    Cut,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "its name cannot be resolved",
            Self::Tls => "TLS fails",
            Self::Connect => "no connection",
            Self::Proxy => "the proxy on the way gives no connection",
            Self::Timeout => "time is up",
            Self::Cut => "the connection broke",
        })
    }
}

/// What a failed look at a registry means for what is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The image, or its whole repository, is gone.
    ImageGone,
    /// The tag is gone.
    TagGone,
    /// The registry does not let this identity look; nothing is known.
    NotAllowed,
    /// The registry did not answer; nothing is known.
    NoAnswer,
    /// Anything else; nothing is known.
    Other,
}

impl Error {
    pub(crate) fn new(action: Action, object: impl fmt::Display, kind: impl Into<ErrorKind>) -> Self {
        Self { action, object: object.to_string(), kind: Box::new(kind.into()) }
    }

    /// Whether the same may work a little later.
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }

    /// What this says about the thing that was looked at.
    pub fn outcome(&self) -> Outcome {
        self.kind.outcome()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

impl ErrorKind {
    /// There is no such image.
    pub(crate) fn missing(version: &Version) -> Self {
        match version {
            Version::Tag(tag) => Self::TagMissing(tag.clone()),
            Version::Digest(_) => Self::ImageMissing,
        }
    }

    /// A missing image that was asked for by tag is a missing tag.
    pub(crate) fn asked_by(self, version: &Version) -> Self {
        match self {
            Self::ImageMissing => Self::missing(version),
            other => other,
        }
    }

    /// Whether the same may work a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Unavailable { .. } => true,
            Self::NoAnswer { trouble, .. } => *trouble != Trouble::Tls,
            _ => false,
        }
    }

    /// What this says about the thing that was looked at.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::ImageMissing | Self::RepositoryMissing(_) => Outcome::ImageGone,
            Self::TagMissing(_) => Outcome::TagGone,
            Self::Denied(_)
            | Self::NoCredentials { .. }
            | Self::CredentialsRefused { .. }
            | Self::AwsCredentials { .. }
            | Self::OtherAccount { .. }
            | Self::CredentialHelper { .. } => Outcome::NotAllowed,
            Self::Throttled(_) | Self::Unavailable { .. } | Self::NoAnswer { .. } => Outcome::NoAnswer,
            Self::TagImmutable { .. }
            | Self::DigestMismatch { .. }
            | Self::SizeMismatch { .. }
            | Self::TooLarge { .. }
            | Self::Manifest(_)
            | Self::ContentMissing(_)
            | Self::Refused { .. }
            | Self::Protocol(_)
            | Self::File { .. }
            | Self::Local(_)
            | Self::AuthFile { .. }
            | Self::NotEcr(_)
            | Self::QuotaExceeded(_)
            | Self::NotOver { .. }
            | Self::Network(_)
            | Self::Client(_) => Outcome::Other,
        }
    }
}

/// `: message`, or nothing.
fn after(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}
