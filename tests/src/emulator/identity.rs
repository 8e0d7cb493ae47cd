//! Who calls: access keys, what their holder may not do, and whether a signature is theirs.
//!
//! Source of the signature: "Create a signed AWS API request" (Signature Version 4) in AWS's IAM documentation.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::aws::Keys;
use crate::ecr::Signer;

/// How far a signature's time may be from ours.
const SKEW: Duration = Duration::from_mins(5);

/// The holder of a pair of access keys.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The keys.
    pub keys: Keys,
    /// What a refusal names.
    pub arn: String,
    /// Actions that it may not do, such as `ecr:PutImage`.
    pub denied: BTreeSet<String>,
}

impl Identity {
    /// One who may do everything.
    pub fn new(keys: Keys, arn: &str) -> Self {
        Self { keys, arn: arn.to_owned(), denied: BTreeSet::new() }
    }

    /// The account that it belongs to.
    pub(super) fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// Refuses what it may not do. `action` is such as `ecr:PutImage`.
    pub(super) fn may(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        if self.denied.contains(action) {
            return Err(Refusal::denied(&self.arn, action, resource));
        }
        Ok(())
    }

    /// Whether these keys signed the request, for this service, a short time ago.
    pub(super) fn signed(&self, request: &Parts, body: &[u8], service: &str) -> Result<(), Refusal> {
        let incomplete = |what| Refusal::signature("IncompleteSignatureException", what);
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = header("authorization").ok_or_else(|| incomplete("no Authorization header"))?;
        let signer = Signer::of(&request.headers).ok_or_else(|| incomplete("no Credential"))?;
        let part = |name: &str| {
            let (_, rest) = authorization.split_once(name)?;
            rest.split([',', ' ']).next()
        };
        let names = part("SignedHeaders=").ok_or_else(|| incomplete("no SignedHeaders"))?;
        let claimed = part("Signature=").ok_or_else(|| incomplete("no Signature"))?;
        let stamp = header("x-amz-date").ok_or_else(|| incomplete("no X-Amz-Date"))?;
        let time = time(stamp).ok_or_else(|| incomplete("X-Amz-Date is no time"))?;
        let now = SystemTime::now();
        let skew = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or(Duration::MAX);
        if skew > SKEW {
            return Err(Refusal::signature("InvalidSignatureException", "Signature expired"));
        }
        let region = &signer.region;
        let text = format!(
            "AWS4-HMAC-SHA256\n{stamp}\n{}/{region}/{service}/aws4_request\n{}",
            &stamp[..8],
            hash(canonical(request, names, body).as_bytes())
        );
        let key = generate_signing_key(&self.keys.secret, time, region, service);
        if calculate_signature(key, text.as_bytes()) == claimed {
            return Ok(());
        }
        let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                       Access Key and signing method. Consult the service documentation for details.";
        Err(Refusal::signature("InvalidSignatureException", message))
    }
}

/// The request as it is signed.
fn canonical(request: &Parts, names: &str, body: &[u8]) -> String {
    let mut pairs: Vec<_> = request.uri.query().unwrap_or_default().split('&').collect();
    pairs.sort_unstable();
    let headers = names.split(';').map(|name| {
        let values = request.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        let words = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
        format!("{name}:{}\n", words.collect::<Vec<_>>().join(","))
    });
    let (method, path) = (&request.method, request.uri.path());
    let (query, headers) = (pairs.join("&"), headers.collect::<String>());
    format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{}", hash(body))
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Reads `20261122T221500Z`.
fn time(stamp: &str) -> Option<SystemTime> {
    let number = |range: std::ops::Range<usize>| stamp.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970 in a calendar whose years begin in March, so that a leap day comes last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_a_time() {
        let check = |stamp: &str, expected: Option<u64>| {
            let seconds =
                time(stamp).map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
            assert_eq!(seconds, expected, "{stamp}");
        };
        check("19700101T000000Z", Some(0));
        check("20000229T235959Z", Some(951_868_799));
        check("20000301T000000Z", Some(951_868_800));
        check("20261122T221500Z", Some(1_795_385_700));
        check("20261322T221500Z", None);
        check("2026", None);
    }
}
