//! One pattern of an ignore file.

use super::regex;

/// A pattern, ready to be matched.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Whether it begins with `!`.
    pub(super) brings_back: bool,
    text: String,
    matcher: Matcher,
}

#[derive(Debug)]
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

/// The syntax check of Go's `filepath.Match`: classes closed, not empty, without stray `-`; no `\` at the end.
fn is_well_formed(pattern: &str) -> bool {
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let ok = match c {
            '\\' => chars.next().is_some(),
            '[' => class_is_well_formed(&mut chars),
            _ => true,
        };
        if !ok {
            return false;
        }
    }
    true
}

fn class_is_well_formed(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    chars.next_if_eq(&'^');
    let mut ranges = 0;
    while ranges == 0 || chars.next_if_eq(&']').is_none() {
        if !bound(chars) || (chars.next_if_eq(&'-').is_some() && !bound(chars)) {
            return false;
        }
        ranges += 1;
    }
    true
}

/// Takes one end of a range; something has to follow it.
fn bound(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let taken = match chars.next() {
        None | Some('-' | ']') => false,
        Some('\\') => chars.next().is_some(),
        Some(_) => true,
    };
    taken && chars.peek().is_some()
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
