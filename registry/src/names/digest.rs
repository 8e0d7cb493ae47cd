use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use super::{NameError, Noun, Problem};

const PREFIX: &str = "sha256:";

/// The SHA-256 digest of some bytes: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; SHA256_OUTPUT_LEN]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digester = Digester::new();
        digester.update(bytes);
        digester.finish()
    }

    /// The 64 hexadecimal digits without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The 32 bytes that the digits stand for.
    pub fn bytes(&self) -> [u8; SHA256_OUTPUT_LEN] {
        self.0
    }

    /// The first 12 hexadecimal digits: enough for a person to tell two digests apart.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl From<[u8; SHA256_OUTPUT_LEN]> for Digest {
    fn from(bytes: [u8; SHA256_OUTPUT_LEN]) -> Self {
        Self(bytes)
    }
}

/// Computes a [`Digest`] of bytes that arrive piece by piece.
#[derive(Clone)]
pub struct Digester(Context);

impl Digester {
    /// Starts with no bytes.
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(self.0.finish().as_ref());
        Digest(bytes)
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        let mut digits = [0; 2 * SHA256_OUTPUT_LEN];
        let encoded = hex::encode_to_slice(self.0, &mut digits).ok();
        f.write_str(encoded.and_then(|()| std::str::from_utf8(&digits).ok()).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let error = |problem| NameError::new(Noun::Digest, text, problem);
        if text.is_empty() {
            return Err(error(Problem::Empty));
        }
        let Some(digits) = text.strip_prefix(PREFIX) else {
            let guess = text.strip_prefix("@").map_or_else(|| format!("{PREFIX}{text}"), str::to_owned);
            return Err(error(Problem::Algorithm).suggest::<Self>(guess));
        };
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if let Some((index, character)) = digits.chars().enumerate().find(|(_, c)| !is_digit(*c)) {
            let position = PREFIX.len() + index + 1;
            let problem = Problem::Character { character, position, allowed: "0-9 or a-f" };
            return Err(error(problem).suggest::<Self>(text.to_ascii_lowercase()));
        }
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        match hex::decode_to_slice(digits, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(error(Problem::DigestLength { length: digits.len() })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_of_bytes() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        let mut digester = Digester::new();
        digester.update(b"a");
        digester.update(b"bc");
        assert_eq!(digester.finish(), Digest::of(b"abc"));
        assert_eq!(Digest::of(b"abc").short(), "ba7816bf8f01");
    }

    fn check(text: &str, expected: Result<(), (&str, Option<&str>)>) {
        match (text.parse::<Digest>(), expected) {
            (Ok(digest), Ok(())) => assert_eq!(digest.to_string(), text),
            (Err(error), Err((message, near_miss))) => {
                assert_eq!(error.to_string(), format!("digest `{text}` {message}"));
                assert_eq!(error.near_miss.as_deref(), near_miss);
            }
            (got, expected) => panic!("{text}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn parses_and_refuses() {
        check(ABC, Ok(()));
        check("", Err(("is empty", None)));
        check("sha256:", Err(("has 0 hexadecimal digits after `sha256:`, not 64", None)));
        check("sha256:abc", Err(("has 3 hexadecimal digits after `sha256:`, not 64", None)));
        check(&format!("{ABC}00"), Err(("has 66 hexadecimal digits after `sha256:`, not 64", None)));
        check(&ABC[7..], Err(("does not start with `sha256:`", Some(ABC))));
        check(&format!("@{ABC}"), Err(("does not start with `sha256:`", Some(ABC))));
        check("sha512:abc", Err(("does not start with `sha256:`", None)));
        check(
            &format!("sha256:{}", ABC[7..].to_uppercase()),
            Err(("has 'B' at position 8, where 0-9 or a-f may stand", Some(ABC))),
        );
        check("sha256:zz", Err(("has 'z' at position 8, where 0-9 or a-f may stand", None)));
    }
}
