use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use tokio::time::Instant;

use super::{Credentials, basic};
use crate::{
    ecr::{EcrClients, api_error},
    error::ErrorKind,
    flights::Flights,
    names::EcrHost,
    secret::Secret,
    settings::Login,
};

/// The registry passwords that ECR gives for AWS credentials, one for each region, in memory.
///
/// A password is good for any account's registry in its region, as far as the identity may go there.
pub(super) struct EcrTokens {
    clients: EcrClients,
    tokens: Flights<EcrHost, Option<Token>>,
}

#[derive(Clone)]
struct Token {
    login: Login,
    renew_at: Instant,
}

impl EcrTokens {
    pub(super) fn new(clients: EcrClients) -> Self {
        Self { clients, tokens: Flights::default() }
    }

    pub(super) async fn login(&self, host: &EcrHost) -> Result<Login, ErrorKind> {
        let slot = self.tokens.slot(key(host));
        let mut token = slot.lock().await;
        match &*token {
            Some(token) if Instant::now() < token.renew_at => Ok(token.login.clone()),
            _ => {
                let new = self.fetch(host).await?;
                Ok(token.insert(new).login.clone())
            }
        }
    }

    /// Forgets the password if it is the one that was sent.
    pub(super) async fn forget(&self, host: &EcrHost, sent: Option<&HeaderValue>) {
        let slot = self.tokens.slot(key(host));
        let mut token = slot.lock().await;
        let header = token.as_ref().and_then(|token| {
            basic(&Credentials::Login { login: token.login.clone(), origin: String::new() })
        });
        if header.as_ref() == sent {
            *token = None;
        }
    }

    async fn fetch(&self, host: &EcrHost) -> Result<Token, ErrorKind> {
        let answer = self.clients.of(host).get_authorization_token().send().await;
        let answer = answer.map_err(|error| api_error(error, None))?;
        let data = answer.authorization_data().first();
        let token = data.and_then(|data| data.authorization_token()).and_then(decoded);
        let login = token.ok_or_else(|| {
            ErrorKind::Protocol("GetAuthorizationToken gives no user and password".to_owned())
        })?;
        let expires_at =
            data.and_then(|data| data.expires_at()).and_then(|time| SystemTime::try_from(*time).ok());
        let life = expires_at.and_then(|time| time.duration_since(SystemTime::now()).ok());
        Ok(Token { login, renew_at: Instant::now() + life.unwrap_or(Duration::ZERO).mul_f64(0.8) })
    }
}

/// The account does not matter.
fn key(host: &EcrHost) -> EcrHost {
    EcrHost { account: String::new(), ..host.clone() }
}

fn decoded(token: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login { user: user.to_owned(), password: Secret::new(password) })
}
