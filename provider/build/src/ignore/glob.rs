//! One pattern of an ignore file.

use std::{iter::Peekable, str::Chars};

use super::regex;

/// A pattern, ready to be matched.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// Whether it begins with `!`.
    pub(super) brings_back: bool,
    text: String,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact,
    /// `dir/**`
    Prefix,
    /// `**/name` and `**`
    Suffix,
    Regex(::regex::Regex),
}

/// A pattern that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{0}` is malformed")]
pub struct PatternError(String);

/// How a pattern is matched, and the regular expression (in Go's syntax) where that is how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

impl Pattern {
    /// `None` for white space.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, PatternError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let clean = clean(text.trim());
        let (brings_back, pattern) = clean.strip_prefix('!').map_or((false, clean.as_str()), |p| (true, p));
        if pattern.is_empty() || !is_well_formed(pattern) {
            return Err(PatternError(text.to_owned()));
        }
        let matcher = matcher(pattern).ok_or_else(|| PatternError(text.to_owned()))?;
        Ok(Some(Self { brings_back, text: pattern.to_owned(), matcher }))
    }

    /// Whether it matches this path, slash-separated and relative to the root.
    pub(super) fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.text,
            Matcher::Prefix => path.starts_with(&self.text[..self.text.len() - 2]),
            Matcher::Suffix => {
                let suffix = &self.text[2..];
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Matcher::Regex(regex) => regex.is_match(path),
        }
    }

    /// Whether a path below the folder `path` can match: always, unless the pattern begins elsewhere.
    pub(super) fn may_match_below(&self, path: &str) -> bool {
        let fixed = self.text.split(['*', '?', '[', '\\']).next().unwrap_or_default();
        let has_wildcard = fixed.len() < self.text.len();
        let below = format!("{path}/");
        fixed.starts_with(&below) || (has_wildcard && below.starts_with(fixed))
    }
}

fn matcher(pattern: &str) -> Option<Matcher> {
    let (kind, expression) = translate(pattern);
    Some(match kind {
        Kind::Exact => Matcher::Exact,
        Kind::Prefix => Matcher::Prefix,
        Kind::Suffix => Matcher::Suffix,
        Kind::Regex => Matcher::Regex(regex::compile(&expression)?),
    })
}

/// Turns a pattern into a kind of match and a regular expression in Go's syntax.
pub(super) fn translate(pattern: &str) -> (Kind, String) {
    let mut kind = Kind::Exact;
    let mut expression = String::from("^");
    let mut chars = pattern.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                kind = match (chars.peek(), kind) {
                    (None, Kind::Exact) => Kind::Prefix,
                    (None, _) => {
                        expression.push_str(".*");
                        Kind::Regex
                    }
                    (Some(_), _) => {
                        expression.push_str("(.*/)?");
                        Kind::Regex
                    }
                };
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = Kind::Regex;
            }
            '?' => {
                expression.push_str("[^/]");
                kind = Kind::Regex;
            }
            // moby means to escape `|`, `{` and `}` too, but its bit table has no room for them.
            '.' | '+' | '(' | ')' | '$' => expression.extend(['\\', c]),
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = chars.next() {
                    expression.push(escaped);
                    kind = Kind::Regex;
                }
            }
            '[' | ']' => {
                expression.push(c);
                kind = Kind::Regex;
            }
            c => expression.push(c),
        }
        first = false;
    }
    expression.push('$');
    (kind, expression)
}

/// Whether Go's `filepath.Match` takes the pattern, as moby asks it: for the name `.`, and no further than that goes.
fn is_well_formed(pattern: &str) -> bool {
    let (mut pattern, mut name) = (pattern, ".");
    while !pattern.is_empty() {
        let (star, chunk, rest) = first_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return true;
        }
        let mut from = vec![name];
        from.extend((star && !name.is_empty()).then_some(""));
        let mut next = None;
        for name in from {
            match match_chunk(chunk, name) {
                Err(Malformed) => return false,
                Ok(Some(left)) if left.is_empty() || !pattern.is_empty() => {
                    next = Some(left);
                    break;
                }
                Ok(_) => {}
            }
        }
        match next {
            Some(left) => name = left,
            None => return true,
        }
    }
    true
}

/// Whether stars begin the pattern, what follows up to the next star, and the rest.
fn first_chunk(pattern: &str) -> (bool, &str, &str) {
    let chunk = pattern.trim_start_matches('*');
    let (mut in_class, mut escaped) = (false, false);
    let end = chunk.char_indices().find(|(_, c)| {
        let ends = *c == '*' && !in_class && !escaped;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        ends
    });
    let (chunk, rest) = chunk.split_at(end.map_or(chunk.len(), |(at, _)| at));
    (chunk.len() + rest.len() < pattern.len(), chunk, rest)
}

/// A chunk that cannot be understood.
struct Malformed;

/// What is left of the name after the chunk, `None` if it does not match.
fn match_chunk<'a>(chunk: &str, name: &'a str) -> Result<Option<&'a str>, Malformed> {
    let mut chars = chunk.chars().peekable();
    let mut left = Some(name);
    while let Some(c) = chars.next() {
        let first = left.and_then(|left| left.chars().next());
        let matches = match c {
            '[' => class_matches(&mut chars, first)?,
            '?' => first.is_some_and(|first| first != '/'),
            '\\' => Some(chars.next().ok_or(Malformed)?) == first,
            c => Some(c) == first,
        };
        left = left.filter(|_| matches).and_then(|left| left.get(first.map_or(0, char::len_utf8)..));
    }
    Ok(left)
}

/// Takes a class up to its `]`.
fn class_matches(chars: &mut Peekable<Chars<'_>>, first: Option<char>) -> Result<bool, Malformed> {
    let negated = chars.next_if_eq(&'^').is_some();
    let (mut matches, mut ranges) = (false, 0);
    while ranges == 0 || chars.next_if_eq(&']').is_none() {
        let low = bound(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { bound(chars)? } else { low };
        matches |= first.is_some_and(|first| (low..=high).contains(&first));
        ranges += 1;
    }
    Ok(first.is_some() && matches != negated)
}

/// Takes one end of a range; something has to follow it.
fn bound(chars: &mut Peekable<Chars<'_>>) -> Result<char, Malformed> {
    let bound = match chars.next() {
        None | Some('-' | ']') => return Err(Malformed),
        Some('\\') => chars.next().ok_or(Malformed)?,
        Some(c) => c,
    };
    chars.peek().map(|_| bound).ok_or(Malformed)
}

/// The shortest equal path, as Go's `path.Clean` has it: no empty, `.` or inner `..` parts.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}
