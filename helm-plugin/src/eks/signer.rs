//! Makes tokens for one cluster, from credentials that are found once and renewed before they end.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;

use super::{
    cluster::Cluster,
    identity::{Identity, credentials_of},
    token::{self, Token},
};
use crate::failure::Failure;

/// Credentials with less left than this are renewed first: a token lives 14 minutes, if they do.
const ENOUGH: Duration = Duration::from_mins(14);

/// Makes tokens.
pub(crate) struct Signer {
    /// Whom to ask for newer credentials.
    source: Option<(SdkConfig, Identity)>,
    credentials: Credentials,
    name: String,
    region: String,
}

impl Signer {
    /// For this cluster, beginning with these credentials of the identity.
    pub(crate) fn new(
        aws: SdkConfig,
        identity: Identity,
        credentials: Credentials,
        cluster: &Cluster,
    ) -> Self {
        let (_, name) = cluster.token_name();
        let source = Some((aws, identity));
        Self { source, credentials, name: name.to_owned(), region: cluster.region.clone() }
    }

    /// With credentials that nobody renews.
    #[cfg(test)]
    pub(crate) fn with(credentials: Credentials, name: &str, region: &str) -> Self {
        Self { source: None, credentials, name: name.to_owned(), region: region.to_owned() }
    }

    /// A token. Credentials that cannot be renewed are used to their end.
    pub(crate) async fn token(&mut self, now: SystemTime) -> Result<Token, Failure> {
        let left = self.credentials.expiry().map(|end| end.duration_since(now).unwrap_or_default());
        if let Some((aws, identity)) = &self.source
            && left.is_some_and(|left| left < ENOUGH)
        {
            match credentials_of(aws, identity).await {
                Ok(newer) => self.credentials = newer,
                Err(error) if left == Some(Duration::ZERO) => return Err(error.into()),
                Err(_) => {}
            }
        }
        let host = token::sts_host_of_environment(&self.region);
        Ok(token::token(&self.credentials, &self.name, &self.region, &host, now)?)
    }
}
