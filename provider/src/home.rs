//! The provider's own account and region: whose credentials these are, asked once, and only when it matters.

use std::sync::Arc;

use aws_sdk_sts::{Client, error::DisplayErrorContext};
use aws_types::SdkConfig;
use ecr_registry::{EcrHost, Host, NameError};
use tokio::sync::OnceCell;

use crate::report::Report;

/// Where repositories are that are written without a registry.
#[derive(Debug, Clone)]
pub(crate) struct Home(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    sts: Client,
    region: Option<String>,
    /// Whether AWS may be asked for the account.
    may_ask: bool,
    account: OnceCell<String>,
}

/// Account or region are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error("the provider has no region")]
    NoRegion,
    #[error("the provider may not ask for its account")]
    MayNotAsk,
    #[error("AWS does not say whose credentials these are")]
    NotSaid(#[source] Said),
    #[error(transparent)]
    Host(#[from] NameError),
}

/// All that AWS's client says about a failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(String);

impl Home {
    pub(crate) fn new(aws: &SdkConfig, may_ask: bool) -> Self {
        let region = aws.region().map(ToString::to_string);
        Self(Arc::new(Parts { sts: Client::new(aws), region, may_ask, account: OnceCell::new() }))
    }

    /// The account that the credentials are of.
    pub(crate) async fn account(&self) -> Result<&str, HomeError> {
        let parts = &self.0;
        if !parts.may_ask {
            return Err(HomeError::MayNotAsk);
        }
        let asked = parts.account.get_or_try_init(async || {
            let answer = Box::pin(parts.sts.get_caller_identity().send()).await;
            let answer = answer.map_err(|error| Said(DisplayErrorContext(error).to_string()));
            let account =
                answer.and_then(|answer| answer.account.ok_or(Said("it names no account".to_owned())));
            account.map_err(HomeError::NotSaid)
        });
        asked.await.map(String::as_str)
    }

    /// The private registry of that account in the provider's region.
    pub(crate) async fn registry(&self) -> Result<Host, HomeError> {
        let region = self.0.region.as_deref().ok_or(HomeError::NoRegion)?;
        Ok(EcrHost::host(self.account().await?, region)?)
    }
}

impl Report for HomeError {
    fn advice(&self) -> Option<String> {
        let written =
            "write the repository with its registry, as the repository_url of aws_ecr_repository has it";
        Some(match self {
            Self::NoRegion => format!("set region in the provider or AWS_REGION, or {written}"),
            Self::MayNotAsk => format!("leave skip_requesting_account_id out, or {written}"),
            Self::NotSaid(_) => {
                format!(
                    "check the credentials, which need no permission for sts:GetCallerIdentity, or {written}"
                )
            }
            Self::Host(error) => return error.hint(),
        })
    }
}
