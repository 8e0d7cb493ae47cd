//! Who asks: credentials by host, and what a registry wants to see of them.
//!
//! A host's credentials are the login given for it, else ECR's from AWS, else docker's configuration, else none.
//! Private ECR gets them with every request; other registries ask first, for a password or for a token of their
//! own making. Nothing here is kept on disk or printed.

mod bearer;
mod challenge;
mod docker_config;
mod ecr_token;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};

pub(crate) use bearer::Scope;
use bearer::{Bearer, Tokens};
use challenge::Challenge;
use docker_config::DockerConfig;
use ecr_token::EcrTokens;

use crate::{ecr::EcrClients, error::ErrorKind, names::Host, settings::Login, transport::Http};

/// Where the credentials of a host were found.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    /// A user and a password.
    Login {
        login: Login,
        /// Where they come from, in words.
        origin: String,
    },
    /// None; these places were looked at.
    Anonymous { tried: Vec<String> },
}

/// How a registry that is not ECR wants to see credentials.
#[derive(Debug, Clone)]
enum Scheme {
    Basic,
    Bearer(Bearer),
}

/// All that decides about the `Authorization` header.
pub(crate) struct Access {
    logins: BTreeMap<Host, Login>,
    ecr: Option<EcrTokens>,
    docker: DockerConfig,
    schemes: Mutex<HashMap<Host, Scheme>>,
    tokens: Tokens,
}

impl Access {
    pub(crate) fn new(
        logins: BTreeMap<Host, Login>,
        docker_config: Option<PathBuf>,
        ecr: Option<EcrClients>,
        http: Http,
    ) -> Self {
        Self {
            logins,
            ecr: ecr.map(EcrTokens::new),
            docker: DockerConfig::new(docker_config),
            schemes: Mutex::default(),
            tokens: Tokens::new(http),
        }
    }

    /// The header to send to the host, as far as it is known that one is wanted.
    pub(crate) async fn header(&self, host: &Host, scope: &Scope) -> Result<Option<HeaderValue>, ErrorKind> {
        if host.ecr().is_some() {
            return Ok(basic(&self.credentials(host).await?));
        }
        let scheme = self.schemes.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned();
        match scheme {
            None => Ok(None),
            Some(Scheme::Basic) => Ok(basic(&self.credentials(host).await?)),
            Some(Scheme::Bearer(bearer)) => {
                let credentials = self.credentials(host).await?;
                self.tokens.header(host, &bearer, scope, &credentials).await.map(Some)
            }
        }
    }

    /// Learns from a refusal. Tells whether [`Self::header`] gives something else now, so that asking again
    /// makes sense.
    pub(crate) async fn refused(
        &self,
        host: &Host,
        scope: &Scope,
        sent: Option<&HeaderValue>,
        answer: &HeaderMap,
    ) -> Result<bool, ErrorKind> {
        if let (Some(ecr), Some(tokens)) = (host.ecr(), &self.ecr) {
            if !self.logins.contains_key(host) {
                tokens.forget(&ecr, sent).await;
            }
        } else {
            self.learn(host, scope, sent, answer).await;
        }
        let now = self.header(host, scope).await?;
        Ok(now.is_some() && now.as_ref() != sent)
    }

    async fn learn(&self, host: &Host, scope: &Scope, sent: Option<&HeaderValue>, answer: &HeaderMap) {
        let challenges = answer.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<Challenge> = challenges.flat_map(challenge::parse).collect();
        let bearer = challenges.iter().find_map(Bearer::from_challenge);
        let scheme = match bearer {
            Some(bearer) => Scheme::Bearer(bearer),
            None if challenges.iter().any(Challenge::is_basic) => Scheme::Basic,
            None => return,
        };
        self.tokens.forget(host, scope, sent).await;
        self.schemes.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), scheme);
    }

    /// Why the registry refused, after all that could be tried.
    pub(crate) async fn refusal(&self, host: &Host, message: String) -> ErrorKind {
        match self.credentials(host).await {
            Ok(Credentials::Login { origin, .. }) => {
                ErrorKind::CredentialsRefused { host: host.clone(), origin, message }
            }
            Ok(Credentials::Anonymous { tried }) => ErrorKind::NoCredentials { host: host.clone(), tried },
            Err(error) => error,
        }
    }

    /// User and password for the host, if there are any.
    pub(crate) async fn login(&self, host: &Host) -> Result<Option<Login>, ErrorKind> {
        Ok(match self.credentials(host).await? {
            Credentials::Login { login, .. } => Some(login),
            Credentials::Anonymous { .. } => None,
        })
    }

    async fn credentials(&self, host: &Host) -> Result<Credentials, ErrorKind> {
        let mut tried = vec!["logins given for the host".to_owned()];
        if let Some(login) = self.logins.get(host) {
            let origin = "the login given for the host".to_owned();
            return Ok(Credentials::Login { login: login.clone(), origin });
        }
        match (host.ecr(), &self.ecr) {
            (Some(ecr), Some(tokens)) => {
                let login = tokens.login(&ecr).await?;
                return Ok(Credentials::Login { login, origin: "AWS".to_owned() });
            }
            (Some(_), None) => tried.push("AWS, which is not set up".to_owned()),
            (None, _) => {}
        }
        tried.push(self.docker.place());
        match self.docker.login(host).await? {
            Some(login) => Ok(Credentials::Login { login, origin: self.docker.place() }),
            None => Ok(Credentials::Anonymous { tried }),
        }
    }
}

/// User and password as every request can carry them.
fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    let Credentials::Login { login, .. } = credentials else { return None };
    let text = STANDARD.encode(format!("{}:{}", login.user, login.password.expose()));
    secret_header(&format!("Basic {text}"))
}

/// A header that HTTP libraries do not print.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
