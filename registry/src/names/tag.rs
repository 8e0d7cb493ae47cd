use std::{fmt, str::FromStr};

use super::{NameError, Noun, Problem};

/// A tag of an image: 1 to 128 of `A-Z a-z 0-9 _ . -`, the first being neither `.` nor `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// The longest tag a registry takes, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// The tag that is meant when an image is named without one.
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tag {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match problem(text) {
            None => Ok(Self(text.to_owned())),
            Some(problem) => Err(NameError::new(Noun::Tag, text, problem).suggest::<Self>(near_miss(text))),
        }
    }
}

fn problem(text: &str) -> Option<Problem> {
    if text.is_empty() {
        return Some(Problem::Empty);
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let allowed_at = |index, c| is_word(c) || (index > 0 && matches!(c, '.' | '-'));
    if let Some((index, character)) = text.chars().enumerate().find(|(index, c)| !allowed_at(*index, *c)) {
        let allowed = if index == 0 { "a letter, a digit or _" } else { "a letter, a digit, _ . or -" };
        return Some(Problem::Character { character, position: index + 1, allowed });
    }
    let length = text.len();
    (length > Tag::MAX_LENGTH).then_some(Problem::TooLong { length, limit: Tag::MAX_LENGTH })
}

/// What people mean by `:1.0`, `feature/login` or `1.0+build5`.
fn near_miss(text: &str) -> String {
    let text = text.trim().trim_start_matches([':', '.', '-']);
    text.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-'), "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        for text in ["latest", "1.0", "_", "A-b_C.d", "src-1-0123abcd", &"x".repeat(128)] {
            assert_eq!(text.parse::<Tag>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_with_a_near_miss() {
        let check = |text: &str, message: &str, near_miss: Option<&str>| {
            let error = text.parse::<Tag>().unwrap_err();
            assert_eq!(error.to_string(), format!("tag `{text}` {message}"));
            assert_eq!(error.near_miss.as_deref(), near_miss);
        };
        let later = |c: char, position: usize| {
            format!("has {c:?} at position {position}, where a letter, a digit, _ . or - may stand")
        };
        let first = |c: char| format!("has {c:?} at position 1, where a letter, a digit or _ may stand");
        check("", "is empty", None);
        check(":1.0", &first(':'), Some("1.0"));
        check("-x", &first('-'), Some("x"));
        check(".hidden", &first('.'), Some("hidden"));
        check("feature/login", &later('/', 8), Some("feature-login"));
        check("1.0+build", &later('+', 4), Some("1.0-build"));
        check("größe", &later('ö', 3), Some("gr--e"));
        check("a b", &later(' ', 2), Some("a-b"));
        check("v1\n", &later('\n', 3), Some("v1"));
        check(&"x".repeat(129), "has 129 characters, the limit is 128", None);
        check("/", &first('/'), None);
    }
}
