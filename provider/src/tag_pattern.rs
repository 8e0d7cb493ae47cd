//! Which tags are meant: a text in which `*` stands for any other.

use std::{fmt, str::FromStr};

use ecr_registry::Tag;

use crate::report::Report;

/// A pattern as ECR's lifecycle rules have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagPattern(String);

/// A text that no tag is like.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a pattern of tags")]
pub(crate) struct NoPattern(String);

impl TagPattern {
    /// Whether a tag is as the pattern says.
    pub(crate) fn matches(&self, tag: &Tag) -> bool {
        let mut parts = self.0.split('*');
        let (first, last) = (parts.next().unwrap_or_default(), parts.next_back());
        let Some(last) = last else { return tag.as_str() == first };
        let Some(mut rest) = tag.as_str().strip_prefix(first) else { return false };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl FromStr for TagPattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '*');
        let is_pattern = !text.is_empty() && text.len() <= Tag::MAX_LENGTH && text.chars().all(fits);
        if is_pattern { Ok(Self(text.to_owned())) } else { Err(NoPattern(text.to_owned())) }
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Report for NoPattern {
    fn advice(&self) -> Option<String> {
        Some("write letters, digits, `_`, `.` and `-` of the tag, and `*` for any text: pr-*".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        let check = |pattern: &str, tag: &str, expected: bool| {
            let pattern: TagPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&tag.parse().unwrap()), expected, "{pattern} {tag}");
        };
        check("v1", "v1", true);
        check("v1", "v10", false);
        check("*", "anything", true);
        check("pr-*", "pr-7", true);
        check("pr-*", "a-pr-7", false);
        check("*-rc", "1-rc-rc", true);
        check("v*.*", "v1", false);
        check("a*a", "a", false);
        check("*x*x*", "axb", false);
        check("*x*x*", "axbxc", true);
        assert!(["", "a b", "[a]"].iter().all(|text| text.parse::<TagPattern>().is_err()));
    }
}
