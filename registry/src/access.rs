//! Who asks: credentials by host, and what a registry wants to see of them.
//!
//! Credentials are the login given for the host, else ECR's from AWS, else those of docker's configuration and the
//! programs it names, else those of podman's auth files, else none. Private ECR gets them with every request;
//! other registries ask first, for a password or for a token of their own making. Nothing here is kept on disk or
//! printed.

mod auth_file;
mod bearer;
mod challenge;
mod credentials;
mod ecr_token;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod helper;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};

pub(crate) use bearer::Scope;
use bearer::{Bearer, Tokens};
use challenge::Challenge;
pub(crate) use credentials::Place;
use credentials::{Chain, Credentials, Proof};

use crate::{
    ecr::EcrClients,
    error::ErrorKind,
    names::{Host, Repository},
    secret::Secret,
    settings::{Login, Settings},
    transport::{Http, Sender},
};

/// How a registry that is not ECR wants to see credentials.
#[derive(Debug, Clone)]
enum Scheme {
    Basic,
    Bearer(Bearer),
}

/// All that decides about the `Authorization` header.
pub(crate) struct Access {
    chain: Chain,
    schemes: Mutex<HashMap<Host, Scheme>>,
    tokens: Tokens,
}

impl Access {
    pub(crate) fn new(settings: &Settings, ecr: Option<EcrClients>, http: Http) -> Self {
        Self { chain: Chain::new(settings, ecr), schemes: Mutex::default(), tokens: Tokens::new(http) }
    }

    /// The header to send for the repository, as far as it is known that one is wanted.
    pub(crate) async fn header(
        &self,
        repository: &Repository,
        scope: &Scope,
    ) -> Result<Option<HeaderValue>, ErrorKind> {
        let host = repository.host();
        let scheme = self.schemes.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned();
        let scheme = if host.ecr().is_some() { Some(Scheme::Basic) } else { scheme };
        let Some(scheme) = scheme else { return Ok(None) };
        let credentials = self.chain.find(repository.into()).await?;
        match scheme {
            Scheme::Basic => Ok(credentials.basic()),
            Scheme::Bearer(bearer) => self.tokens.header(host, &bearer, scope, &credentials).await.map(Some),
        }
    }

    /// Learns from a refusal. Tells whether [`Self::header`] gives something else now, so that asking again
    /// makes sense.
    pub(crate) async fn refused(
        &self,
        repository: &Repository,
        scope: &Scope,
        sent: Option<&HeaderValue>,
        answer: &HeaderMap,
        sender: Sender<'_>,
    ) -> Result<bool, ErrorKind> {
        let host = repository.host();
        self.chain.refused(host, sent).await?;
        if host.ecr().is_none() {
            self.learn(sender, scope, sent, answer).await?;
        }
        let now = self.header(repository, scope).await?;
        Ok(now.is_some() && now.as_ref() != sent)
    }

    async fn learn(
        &self,
        sender: Sender<'_>,
        scope: &Scope,
        sent: Option<&HeaderValue>,
        answer: &HeaderMap,
    ) -> Result<(), ErrorKind> {
        let host = sender.host;
        let challenges = answer.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<Challenge> = challenges.flat_map(challenge::parse).collect();
        let bearer = challenges.iter().find_map(|challenge| Bearer::from_challenge(challenge, sender));
        let scheme = match bearer {
            Some(bearer) => Scheme::Bearer(bearer?),
            None if challenges.iter().any(Challenge::is_basic) => Scheme::Basic,
            None => return Ok(()),
        };
        self.tokens.forget(host, scope, sent).await;
        self.schemes.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), scheme);
        Ok(())
    }

    /// Why the registry refused, after all that could be tried.
    pub(crate) async fn refusal(&self, repository: &Repository, message: String) -> ErrorKind {
        let host = repository.host().clone();
        match self.chain.find(repository.into()).await {
            Ok(Credentials::Found { origin, .. }) => ErrorKind::CredentialsRefused { host, origin, message },
            Ok(Credentials::Anonymous { tried }) => ErrorKind::NoCredentials { host, tried },
            Err(error) => error,
        }
    }

    /// User and password, if there are any. A token to be exchanged has no user.
    pub(crate) async fn login(&self, place: Place<'_>) -> Result<Option<Login>, ErrorKind> {
        Ok(match self.chain.find(place).await? {
            Credentials::Found { proof: Proof::Login(login), .. } => Some(login),
            Credentials::Found { proof: Proof::Identity(password), .. } => {
                Some(Login { user: String::new(), password })
            }
            Credentials::Anonymous { .. } => None,
        })
    }
}

impl Credentials {
    /// User and password as every request can carry them.
    fn basic(&self) -> Option<HeaderValue> {
        match self {
            Self::Found { proof: Proof::Login(login), .. } => basic(login),
            Self::Found { .. } | Self::Anonymous { .. } => None,
        }
    }

    /// The token to be exchanged for one that requests can carry.
    fn identity(&self) -> Option<&Secret> {
        match self {
            Self::Found { proof: Proof::Identity(token), .. } => Some(token),
            Self::Found { .. } | Self::Anonymous { .. } => None,
        }
    }
}

fn basic(login: &Login) -> Option<HeaderValue> {
    let text = STANDARD.encode(format!("{}:{}", login.user, login.password.expose()));
    secret_header(&format!("Basic {text}"))
}

/// A header that HTTP libraries do not print.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
