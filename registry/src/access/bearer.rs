use std::{collections::BTreeSet, fmt, time::Duration};

use http::HeaderValue;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{Challenge, Credentials, secret_header};
use crate::{
    error::{Denied, ErrorKind, quoted},
    flights::Lived,
    names::{Host, Repository},
    secret::Secret,
    transport::{Http, Sender, Target, Way},
};

/// What a request needs to be allowed, in the words of registries' token servers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope(BTreeSet<String>);

impl Scope {
    pub(crate) fn pull(repository: &Repository) -> Self {
        Self(BTreeSet::from([format!("repository:{}:pull", repository.name())]))
    }

    pub(crate) fn push(repository: &Repository) -> Self {
        Self(BTreeSet::from([format!("repository:{}:pull,push", repository.name())]))
    }

    /// To read from another repository as well.
    pub(crate) fn and_pull(mut self, repository: &Repository) -> Self {
        self.0.extend(Self::pull(repository).0);
        self
    }
}

/// Where a registry has its tokens made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Bearer {
    realm: Url,
    /// How the realm may be gone to.
    way: Way,
    service: Option<String>,
}

impl Bearer {
    /// What a challenge names, if it is of this kind. An error if the registry may not send us there.
    pub(super) fn from_challenge(
        challenge: &Challenge,
        sender: Sender<'_>,
    ) -> Option<Result<Self, ErrorKind>> {
        let realm = challenge.parameters.get("realm").filter(|_| challenge.scheme == "bearer")?;
        Url::parse(realm).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let service = challenge.parameters.get("service").cloned();
        Some(sender.locate(realm).map(|Target { url, way }| Self { realm: url, way, service }))
    }

    /// Where identity tokens are exchanged.
    fn target(&self) -> Target {
        Target { url: self.realm.clone(), way: self.way }
    }

    /// Where a token for this is had.
    fn target_for(&self, scope: &Scope) -> Target {
        let mut target = self.target();
        let service = self.service.iter().map(|service| ("service", service));
        let pairs = service.chain(scope.0.iter().map(|scope| ("scope", scope)));
        target.url.query_pairs_mut().extend_pairs(pairs);
        target
    }

    /// The form by which an identity token is exchanged.
    ///
    /// Source: distribution, `docs/content/spec/auth/oauth.md`.
    fn form(&self, scope: &Scope, identity: &Secret) -> String {
        let scopes: Vec<&str> = scope.0.iter().map(String::as_str).collect();
        form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("service", self.service.as_deref().unwrap_or_default())
            .append_pair("client_id", "ecr-registry")
            .append_pair("scope", &scopes.join(" "))
            .append_pair("refresh_token", identity.expose())
            .finish()
    }
}

impl fmt::Display for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(self.realm.as_str()))
    }
}

/// Tokens that registries made, by host and scope, in memory.
pub(super) struct Tokens {
    http: Http,
    tokens: Lived<(Host, Scope), HeaderValue>,
}

/// What a token server may answer.
#[derive(Deserialize)]
struct Answer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    /// Seconds.
    expires_in: Option<u64>,
}

/// The life of a token whose answer does not tell, by the specification.
const SHORTEST_LIFE: Duration = Duration::from_mins(1);
/// Nobody's tokens live longer; it also keeps hostile numbers out of the arithmetic.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

impl Tokens {
    pub(super) fn new(http: Http) -> Self {
        Self { http, tokens: Lived::new(4096) }
    }

    pub(super) async fn header(
        &self,
        host: &Host,
        bearer: &Bearer,
        scope: &Scope,
        credentials: &Credentials,
    ) -> Result<HeaderValue, ErrorKind> {
        let fetch = async || self.fetch(host, bearer, scope, credentials).await;
        self.tokens.get((host.clone(), scope.clone()), fetch).await
    }

    /// Forgets the token if it is the one that was sent.
    pub(super) async fn forget(&self, host: &Host, scope: &Scope, sent: Option<&HeaderValue>) {
        self.tokens.forget((host.clone(), scope.clone()), |header| Some(header) == sent).await;
    }

    async fn fetch(
        &self,
        host: &Host,
        bearer: &Bearer,
        scope: &Scope,
        credentials: &Credentials,
    ) -> Result<(HeaderValue, Duration), ErrorKind> {
        let is_secret = matches!(credentials, Credentials::Found { .. });
        if bearer.realm.scheme() == "http" && !host.is_loopback() && is_secret {
            let message = format!("token server {bearer} of `{host}` is not reached by TLS");
            return Err(ErrorKind::Protocol(message));
        }
        let (status, body) = match credentials.identity() {
            Some(token) => self.http.post_form(&bearer.target(), bearer.form(scope, token)).await?,
            None => self.http.fetch_small(&bearer.target_for(scope), credentials.basic()).await?,
        };
        match status.as_u16() {
            200 => token(&body)
                .ok_or_else(|| ErrorKind::Protocol(format!("token server {bearer} gives no token"))),
            401 | 403 => Err(refused(host, bearer, credentials)),
            429 => Err(ErrorKind::Throttled(format!("token server {bearer}"))),
            500.. => Err(ErrorKind::Unavailable { status: status.to_string(), message: bearer.to_string() }),
            _ => Err(ErrorKind::Refused { status: status.to_string(), message: bearer.to_string() }),
        }
    }
}

fn refused(host: &Host, bearer: &Bearer, credentials: &Credentials) -> ErrorKind {
    match credentials {
        Credentials::Found { origin, .. } => ErrorKind::CredentialsRefused {
            host: host.clone(),
            origin: origin.clone(),
            message: String::new(),
        },
        Credentials::Anonymous { .. } => {
            Denied { message: format!("token server {bearer} gives none"), ..Denied::default() }.into()
        }
    }
}

pub(super) fn token(body: &[u8]) -> Option<(HeaderValue, Duration)> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let secret = answer.token.or(answer.access_token).filter(|token| !token.expose().is_empty())?;
    let life = Duration::from_secs(answer.expires_in.unwrap_or(0)).clamp(SHORTEST_LIFE, LONGEST_LIFE);
    let header = secret_header(&format!("Bearer {}", secret.expose()))?;
    Some((header, life))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::challenge, transport::Zone};

    /// What a registry on the internet asks for.
    fn bearer(challenge: &str) -> Option<Result<Bearer, ErrorKind>> {
        let (host, base) = ("x.io".parse().unwrap(), Url::parse("https://x.io/").unwrap());
        let sender = Sender { host: &host, base: &base, asked: &base, zone: Zone::Public, trusted: &[] };
        challenge::parse(challenge).iter().find_map(|challenge| Bearer::from_challenge(challenge, sender))
    }

    #[test]
    fn token_servers_are_no_way_into_the_network_behind_us() {
        for realm in [
            "https://169.254.169.254/latest/api/token",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "http://auth/",
        ] {
            let challenge = format!("Bearer realm=\"{realm}\"");
            assert!(bearer(&challenge).unwrap().is_err(), "{realm}");
        }
    }

    #[test]
    fn token_urls() {
        let check = |challenge: &str, scope: &Scope, expected: Option<&str>| {
            let bearer = bearer(challenge).map(Result::unwrap);
            assert_eq!(bearer.map(|bearer| bearer.target_for(scope).url.to_string()).as_deref(), expected);
        };
        let (a, b) = ("x.io/a/b".parse().unwrap(), "x.io/c".parse().unwrap());
        let realm = "Bearer realm=\"https://auth/token\"";
        check(realm, &Scope::pull(&a), Some("https://auth/token?scope=repository%3Aa%2Fb%3Apull"));
        check(
            "Bearer realm=\"https://auth/token?a=b\",service=\"reg\"",
            &Scope::push(&a).and_pull(&b),
            Some(
                "https://auth/token?a=b&service=reg&scope=repository%3Aa%2Fb%3Apull%2Cpush\
                 &scope=repository%3Ac%3Apull",
            ),
        );
        check("Basic realm=\"https://auth/token\"", &Scope::pull(&a), None);
        check("Bearer realm=\"file:///etc/passwd\"", &Scope::pull(&a), None);
    }

    #[test]
    fn answers() {
        let check = |body: &str, expected: Option<&str>| {
            let header = token(body.as_bytes()).map(|(header, _)| header);
            assert_eq!(header.as_ref().map(|header| header.to_str().unwrap()), expected, "{body}");
        };
        check(r#"{"token":"a"}"#, Some("Bearer a"));
        check(r#"{"access_token":"b","expires_in":300}"#, Some("Bearer b"));
        check(r#"{"token":"a","access_token":"b","expires_in":18446744073709551615}"#, Some("Bearer a"));
        check(r#"{"token":""}"#, None);
        check(r#"{"token":"a\nb"}"#, None);
        check("{}", None);
        check("<html>", None);
    }
}
