//! How an emulator starts.

use std::net::SocketAddr;
use std::time::Duration;

use super::identity::Identity;
use super::quota::Rates;
use super::store::blob::Keep;
use crate::aws::Keys;
use crate::ecr::{PASSWORD_LIFE, Scope};

/// How an emulator starts. By default: one registry, one identity, ECR's manners, no limits, no delay.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one manner, in any combination")]
pub struct Options {
    /// Everything that the emulator makes up follows from it.
    pub seed: u64,
    /// Where the first registry and the API listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The registries, each with a port of its own. At least one.
    pub registries: Vec<Scope>,
    /// Who may call. At least one.
    pub identities: Vec<Identity>,
    /// Where blobs are kept.
    pub keep: Keep,
    /// How long each request waits before anything is done about it.
    pub delay: Duration,
    /// How long a password lives.
    pub password_life: Duration,
    /// Quotas; [`super::ecr_rates`] are ECR's.
    pub rates: Rates,
    /// What a refusal for being too fast asks to wait, if it asks.
    pub retry_after: Option<Duration>,
    /// Time stands still, except for [`super::Emulator::pass`].
    pub stopped_clock: bool,
    /// Whether a push to a repository that does not exist ends with the connection, as ECR's often does, or with 404.
    pub hangs_up: bool,
    /// Whether a manifest has to say itself what it is, as it had to for years.
    pub strict: bool,
    /// Asks for no password and makes a repository with the first push.
    pub open: bool,
}

impl Default for Options {
    fn default() -> Self {
        let account = "123456789012".to_owned();
        let keys = Keys { id: "AKIAEMULATOR".to_owned(), secret: "emulator-secret".to_owned() };
        Self {
            seed: 0,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            identities: vec![Identity::new(keys, &format!("arn:aws:iam::{account}:user/ci"))],
            registries: vec![Scope { account, region: "eu-central-1".to_owned() }],
            keep: Keep::Memory,
            delay: Duration::ZERO,
            password_life: PASSWORD_LIFE,
            rates: Rates::new(),
            retry_after: None,
            stopped_clock: false,
            hangs_up: true,
            strict: true,
            open: false,
        }
    }
}
