//! What the fuzzer feeds to who asks.
#![allow(clippy::unwrap_used, reason = "a panic is a finding")]

use url::Url;

use super::{
    auth_file::{self, Dialect},
    bearer::{self, Bearer},
    challenge::{self, Challenge},
};
use crate::transport::{Sender, Zone};

/// The value of `WWW-Authenticate`. What is well formed in it means the same when it is written anew.
pub(crate) fn challenge(value: &str) {
    let (host, base) = ("ghcr.io".parse().unwrap(), Url::parse("https://ghcr.io/").unwrap());
    let sender = Sender { host: &host, base: &base, asked: &base, zone: Zone::Public, trusted: &[] };
    let challenges = challenge::parse(value);
    for challenge in &challenges {
        assert!(!challenge.scheme.is_empty());
        _ = Bearer::from_challenge(challenge, sender);
    }
    if challenges.iter().all(is_well_formed) {
        let written: Vec<String> = challenges.iter().map(written).collect();
        assert_eq!(challenge::parse(&written.join(", ")), challenges);
    }
}

fn is_well_formed(challenge: &Challenge) -> bool {
    let is_token = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    is_token(&challenge.scheme) && challenge.parameters.keys().all(|name| is_token(name))
}

fn written(challenge: &Challenge) -> String {
    let quoted = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"");
    let parameters = challenge.parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value)));
    format!("{} {}", challenge.scheme, parameters.collect::<Vec<_>>().join(", "))
}

/// An auth file, or a token server's answer.
pub(crate) fn logins(data: &[u8]) {
    for dialect in [Dialect::Docker, Dialect::Containers] {
        _ = auth_file::parse(data, dialect);
    }
    _ = bearer::token(data);
}

/// The challenges, each as its scheme and parameters.
#[cfg(test)]
pub(crate) fn parsed(value: &str) -> Vec<(String, std::collections::BTreeMap<String, String>)> {
    let challenges = challenge::parse(value).into_iter();
    challenges.map(|Challenge { scheme, parameters }| (scheme, parameters)).collect()
}

/// User and password for the repository, and all of the file as it is printed.
#[cfg(test)]
pub(crate) fn login(
    file: &[u8],
    repository: &crate::names::Repository,
) -> (Option<(String, String)>, String) {
    let content = auth_file::parse(file, Dialect::Docker).unwrap();
    let login = content.logins.get(&repository.host().to_string()).and_then(|proof| match proof {
        super::Proof::Login(login) => Some((login.user.clone(), login.password.expose().to_owned())),
        super::Proof::Identity(_) => None,
    });
    (login, format!("{content:?}"))
}
