use std::time::SystemTime;

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_ecr::config::Region;
use aws_types::SdkConfig;

/// Credentials of a role, which is taken on only when somebody asks for them. The ECR client keeps them.
#[derive(Debug)]
pub(super) struct Role {
    arn: String,
    sts: aws_sdk_sts::Client,
}

impl Role {
    /// The region is that of the registry: its STS knows the role's partition.
    pub(super) fn new(arn: &str, region: &str, config: &SdkConfig) -> Self {
        let config = aws_sdk_sts::config::Builder::from(config).region(Region::new(region.to_owned()));
        Self { arn: arn.to_owned(), sts: aws_sdk_sts::Client::from_conf(config.build()) }
    }

    async fn take_on(&self) -> provider::Result {
        let call = self.sts.assume_role().role_arn(&self.arn).role_session_name("ecr-registry");
        let answer = call.send().await.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials();
        let given = given.ok_or_else(|| CredentialsError::unhandled("AssumeRole gives no credentials"))?;
        let end = SystemTime::try_from(*given.expiration()).map_err(CredentialsError::unhandled)?;
        let token = Some(given.session_token().to_owned());
        Ok(Credentials::new(given.access_key_id(), given.secret_access_key(), token, Some(end), "AssumeRole"))
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.take_on())
    }
}
