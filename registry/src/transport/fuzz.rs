//! What the fuzzer feeds to who listens.
#![allow(clippy::unwrap_used, reason = "a panic is a finding")]

use ::http::StatusCode;
use url::Url;

use super::{Refusal, Sender, Zone, answer::reasons};

/// A refusal with any status from 400 on.
pub(crate) fn refusal(status: u8, body: &[u8]) {
    let status = StatusCode::from_u16(400 + u16::from(status)).unwrap();
    let refusal = Refusal { status, errors: reasons(body), ..Refusal::default() };
    let repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web".parse().unwrap();
    let kind = refusal.kind(&repository);
    assert!(!kind.to_string().is_empty());
    if refusal.is_throttled() {
        assert!(refusal.is_transient());
    }
}

/// Where a registry under each of these says to go on.
const BASES: [&str; 4] = [
    "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",
    "http://127.0.0.1:5000/",
    "https://proxy.example/ecr/",
    "http://10.0.0.1:8080/a/b/",
];

/// Credentials go nowhere but to the registry's own place, and nobody is sent from outside into the network behind us.
pub(crate) fn location(base: u8, location: &str) {
    let base = Url::parse(BASES[usize::from(base) % BASES.len()]).unwrap();
    let from = base.join("v2/web/blobs/uploads/").unwrap();
    let host = "123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap();
    let zone = Zone::said_by(&base).unwrap_or(Zone::Public);
    let sender = Sender { host: &host, base: &base, asked: &from, zone, trusted: &[] };
    let Ok(target) = sender.locate(location) else { return };
    let is_own = target.url.origin() == base.origin() && target.url.path().starts_with(base.path());
    assert_eq!(target.is_ours(), is_own, "{target:?}");
    let is_as_safe = target.url.scheme() == "https" || base.scheme() == "http";
    assert!(is_as_safe && target.url.has_host(), "{target:?}");
    if base.scheme() == "https" && !target.is_ours() {
        let is_behind = match target.url.host() {
            Some(url::Host::Ipv4(v4)) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
            Some(url::Host::Ipv6(v6)) => v6.is_loopback() || v6.is_unique_local(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => true,
        };
        assert!(!is_behind, "{target:?}");
    }
}

/// A refusal in the registry's words.
#[cfg(test)]
pub(crate) fn told(body: &[u8]) -> String {
    Refusal { errors: reasons(body), ..Refusal::default() }.message()
}
