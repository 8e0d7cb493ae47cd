use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;

use super::basic;
use crate::{
    ecr::{EcrClients, api_error},
    error::ErrorKind,
    flights::Lived,
    names::EcrHost,
    secret::Secret,
    settings::Login,
};

/// The registry passwords that ECR gives for AWS credentials, in memory.
///
/// A password is good for any account's registry in its region, as far as the identity may go there: accounts
/// without a role of their own share one.
pub(super) struct EcrTokens {
    clients: EcrClients,
    tokens: Lived<EcrHost, Login>,
    /// That for ECR Public, or why there is none.
    public: Lived<(), Result<Login, String>>,
}

/// ECR Public lets nobody in particular pull as well: it is not worth a long wait, nor another one soon.
const PUBLIC_WAIT: Duration = Duration::from_secs(5);
const WITHOUT_PUBLIC: Duration = Duration::from_mins(15);

impl EcrTokens {
    pub(super) fn new(clients: EcrClients) -> Self {
        Self { clients, tokens: Lived::new(1024), public: Lived::new(1) }
    }

    pub(super) async fn login(&self, host: &EcrHost) -> Result<Login, ErrorKind> {
        self.tokens.get(self.clients.identity(host), async || self.fetch(host).await).await
    }

    /// The password for ECR Public, or why there is none.
    pub(super) async fn public_login(&self) -> Result<Login, String> {
        let fetch = async || {
            Ok(match tokio::time::timeout(PUBLIC_WAIT, self.clients.public_login()).await {
                Ok(Ok((login, life))) => (Ok(login), life),
                Ok(Err(error)) => (Err(error.to_string()), WITHOUT_PUBLIC),
                Err(_) => (Err("it does not answer in time".to_owned()), WITHOUT_PUBLIC),
            })
        };
        self.public.get((), fetch).await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Forgets the password if it is the one that was sent.
    pub(super) async fn forget(&self, host: &EcrHost, sent: Option<&HeaderValue>) {
        self.tokens.forget(self.clients.identity(host), |login| basic(login).as_ref() == sent).await;
    }

    async fn fetch(&self, host: &EcrHost) -> Result<(Login, Duration), ErrorKind> {
        let answer = self.clients.of(host).get_authorization_token().send().await;
        let answer = answer.map_err(|error| api_error(error, None))?;
        let data = answer.authorization_data().first();
        let token = data.and_then(|data| data.authorization_token()).and_then(Login::from_token);
        let login = token.ok_or_else(|| {
            ErrorKind::Protocol("GetAuthorizationToken gives no user and password".to_owned())
        })?;
        let expires_at =
            data.and_then(|data| data.expires_at()).and_then(|time| SystemTime::try_from(*time).ok());
        let life = expires_at.and_then(|time| time.duration_since(SystemTime::now()).ok());
        Ok((login, life.unwrap_or(Duration::ZERO)))
    }
}

impl Login {
    /// What an authorization token of ECR stands for.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self { user: user.to_owned(), password: Secret::new(password) })
    }
}
