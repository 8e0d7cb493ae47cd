//! The passwords that `GetAuthorizationToken` hands out: random, one a call, remembered with whom it was for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;

use super::caller::Caller;
use super::upstream::Scope;

/// How long ECR's own passwords live.
pub const ECR_LIFE: Duration = Duration::from_hours(12);
/// ECR's one user name.
const USER: &str = "AWS";

/// Who a password was issued to, and the registry it opens.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) caller: Caller,
    pub(super) scope: Scope,
    pub(super) expires: SystemTime,
}

/// What became of a request's password.
#[derive(Debug)]
pub(super) enum Verdict {
    Valid(Arc<Grant>),
    Expired,
    /// None was given, or one that was never issued.
    Unknown,
}

/// All passwords issued since the front started.
#[derive(Debug)]
pub(super) struct Passwords {
    life: Duration,
    issued: Mutex<HashMap<String, Arc<Grant>>>,
}

impl Passwords {
    pub(super) fn lasting(life: Duration) -> Self {
        Self { life, issued: Mutex::default() }
    }

    /// Issues one: the token as ECR encodes it, and when it ends.
    pub(super) fn issue(
        &self,
        caller: Caller,
        scope: Scope,
        now: SystemTime,
    ) -> std::io::Result<(String, SystemTime)> {
        let password = random()?;
        let token = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        let expires = now + self.life;
        let grant = Arc::new(Grant { caller, scope, expires });
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).insert(password, grant);
        Ok((token, expires))
    }

    /// Judges an `Authorization` header.
    pub(super) fn check(&self, header: Option<&HeaderValue>, now: SystemTime) -> Verdict {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        match header.and_then(password).and_then(|password| issued.get(&password)) {
            None => Verdict::Unknown,
            Some(grant) if grant.expires <= now => Verdict::Expired,
            Some(grant) => Verdict::Valid(Arc::clone(grant)),
        }
    }
}

/// The password in `Basic base64(AWS:password)`.
fn password(header: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    (scheme.eq_ignore_ascii_case("basic") && user == USER).then(|| password.to_owned())
}

fn random() -> std::io::Result<String> {
    let mut bytes = [0; 48];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(BASE64_STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str) -> HeaderValue {
        format!("Basic {}", BASE64_STANDARD.encode(text)).parse().unwrap()
    }

    #[test]
    fn only_an_issued_password_opens_until_it_expires() {
        let (start, life) = (SystemTime::UNIX_EPOCH, Duration::from_mins(1));
        let passwords = Passwords::lasting(life);
        let scope = Scope { account: "000000000000".into(), region: "us-east-1".into() };
        let (token, expires) = passwords.issue(Caller::Root, scope, start).unwrap();
        let issued: HeaderValue = format!("Basic {token}").parse().unwrap();
        let check = |header: Option<&HeaderValue>, after: u64, expected: &str| {
            let verdict = match passwords.check(header, start + Duration::from_secs(after)) {
                Verdict::Valid(_) => "valid",
                Verdict::Expired => "expired",
                Verdict::Unknown => "unknown",
            };
            assert_eq!(verdict, expected, "{header:?} after {after} s");
        };
        assert_eq!(expires, start + life);
        check(Some(&issued), 59, "valid");
        check(Some(&issued), 60, "expired");
        check(None, 0, "unknown");
        check(Some(&basic("AWS:guess")), 0, "unknown");
        check(Some(&basic("AWS")), 0, "unknown");
        check(Some(&HeaderValue::from_static("Basic %%%")), 0, "unknown");
        check(Some(&HeaderValue::from_static("Bearer")), 0, "unknown");
    }

    #[test]
    fn the_user_is_aws_and_no_two_passwords_are_alike() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_ne!(one, other);
        assert_eq!(password(&basic(&format!("AWS:{one}"))), Some(one.clone()));
        assert_eq!(password(&basic(&format!("root:{one}"))), None);
    }
}
