//! The passwords that `GetAuthorizationToken` hands out: random, one a call, remembered with whom it was for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;

/// ECR's one user name.
pub(crate) const USER: &str = "AWS";

/// What became of a request's password.
#[derive(Debug)]
pub(crate) enum Verdict<G> {
    /// It was given for this.
    Valid(Arc<G>),
    Expired,
    /// None was given, or one that was never issued.
    Unknown,
}

/// All passwords issued since the server started, each for what it opens.
#[derive(Debug)]
pub(crate) struct Passwords<G> {
    life: Duration,
    issued: Mutex<HashMap<String, (Arc<G>, SystemTime)>>,
}

impl<G> Passwords<G> {
    pub(crate) fn lasting(life: Duration) -> Self {
        Self { life, issued: Mutex::default() }
    }

    /// Issues one: the token as ECR encodes it, and when it ends.
    pub(crate) fn issue(&self, password: String, grant: G, now: SystemTime) -> (String, SystemTime) {
        let token = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        let expires = now + self.life;
        let issued = (Arc::new(grant), expires);
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).insert(password, issued);
        (token, expires)
    }

    /// Judges an `Authorization` header.
    pub(crate) fn check(&self, header: Option<&HeaderValue>, now: SystemTime) -> Verdict<G> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        match header.and_then(password).and_then(|password| issued.get(&password)) {
            None => Verdict::Unknown,
            Some((_, expires)) if *expires <= now => Verdict::Expired,
            Some((grant, _)) => Verdict::Valid(Arc::clone(grant)),
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

/// A password that nobody can guess.
pub(crate) fn random() -> std::io::Result<String> {
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
        let (token, expires) = passwords.issue(random().unwrap(), "ada", start);
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
