//! `eks-deploy token`: what the exec entry of a kubeconfig runs.

use std::{env, io::Write as _, time::SystemTime};

use crate::{
    cli::TokenArguments,
    eks::{
        exec_credential::{self, ApiVersion},
        identity::Identity,
        token::{self, Token},
        token_socket,
    },
    exit::Exit,
    failure::{Explain, Failure},
};

/// The token cannot be had, for a reason of our own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenVerbError {
    /// The region has no default.
    #[error("no region was named")]
    NoRegion,
    /// Nobody takes the answer.
    #[error("cannot write the token")]
    Write(#[source] std::io::Error),
}

impl Explain for TokenVerbError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegion => Exit::Usage,
            Self::Write(_) => Exit::Failure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRegion => Some("pass --region, or set AWS_REGION".to_owned()),
            Self::Write(_) => None,
        }
    }
}

/// Prints the token.
pub(crate) async fn run(arguments: TokenArguments) -> Result<(), Failure> {
    let cluster = arguments.cluster().to_owned();
    let question = env::var(exec_credential::VARIABLE).ok();
    let version = exec_credential::requested_version(question.as_deref())?;
    if let Some(socket) = &arguments.from {
        return print(version, &token_socket::ask(socket)?, arguments.token_only);
    }
    let identity = Identity::from(arguments.aws);
    let region = match arguments.region.or_else(region_of_environment) {
        Some(region) => region,
        None => identity.profile_region().await.ok_or(TokenVerbError::NoRegion)?,
    };
    let credentials = identity.credentials(&region).await?;
    let host = token::sts_host_of_environment(&region);
    let token = token::token(&credentials, &cluster, &region, &host, SystemTime::now())?;
    print(version, &token, arguments.token_only)
}

fn print(version: ApiVersion, token: &Token, token_only: bool) -> Result<(), Failure> {
    let line = if token_only { token.expose().to_owned() } else { exec_credential::answer(version, token) };
    writeln!(std::io::stdout(), "{line}").map_err(TokenVerbError::Write)?;
    Ok(())
}

fn region_of_environment() -> Option<String> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))
}
