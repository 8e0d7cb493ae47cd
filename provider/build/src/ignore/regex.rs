//! Go's regular expressions, as far as ignore patterns make them, in the words of the `regex` crate.
//!
//! The two engines agree on nearly everything; character classes, escapes and stray braces are where the
//! same text means something else or is an error.

use std::{iter::Peekable, str::Chars};

use regex::Regex;

/// `None` when Go would refuse the expression.
pub(super) fn compile(expression: &str) -> Option<Regex> {
    Regex::new(&translate(expression)?).ok()
}

fn translate(expression: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = expression.chars().peekable();
    let mut repeated = false;
    while let Some(c) = chars.next() {
        let mut repeats = false;
        match c {
            '\\' => match chars.next()? {
                // Words are of ASCII letters there.
                'b' => out.push_str(r"(?-u:\b)"),
                c @ ('A' | 'z') => out.extend(['\\', c]),
                c => out.push_str(&escape(c)?),
            },
            '[' => out.push_str(&class(&mut chars)?),
            '*' | '?' => {
                repeats = true;
                out.push(c);
            }
            '{' => match repetition(&chars) {
                Some(_) if repeated => return None,
                Some(length) => {
                    repeats = true;
                    out.push('{');
                    out.extend(chars.by_ref().take(length));
                }
                None => out.push_str(r"\{"),
            },
            '^' | '$' | '(' | ')' | '|' | '.' => out.push(c),
            c => out.push_str(&literal(c)),
        }
        repeated = repeats;
    }
    Some(out)
}

fn literal(c: char) -> String {
    format!(r"\x{{{:X}}}", u32::from(c))
}

fn escape(c: char) -> Option<String> {
    Some(match c {
        'd' => "[0-9]".to_owned(),
        'D' => "[^0-9]".to_owned(),
        's' => r"[\t\n\x0C\r ]".to_owned(),
        'S' => r"[^\t\n\x0C\r ]".to_owned(),
        'w' => "[0-9A-Za-z_]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        'a' | 'f' | 't' | 'n' | 'r' | 'v' => format!("\\{c}"),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => literal(c),
        _ => return None,
    })
}

/// The length of what follows `{` when that is a repetition: `2}`, `2,}` or `2,3}`.
fn repetition(chars: &Peekable<Chars<'_>>) -> Option<usize> {
    let body: String = chars.clone().take_while(|c| *c != '}').collect();
    let closed = chars.clone().nth(body.chars().count()) == Some('}');
    let (least, most) = body.split_once(',').unwrap_or((&body, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (closed && !least.is_empty() && digits(least) && digits(most)).then_some(body.len() + 1)
}

/// Takes a class up to its `]`; the first character may be a `]` that belongs to it.
fn class(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut out = String::from("[");
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while first || chars.next_if_eq(&']').is_none() {
        first = false;
        match named_class(chars) {
            Some(name) => out.push_str(&name),
            None => out.push_str(&class_item(chars)?),
        }
    }
    out.push(']');
    Some(out)
}

fn named_class(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let rest: String = chars.clone().collect();
    let end = rest.strip_prefix("[:")?.find(":]")? + 4;
    *chars = chars.clone();
    (0..rest[..end].chars().count()).for_each(|_| {
        chars.next();
    });
    Some(rest[..end].to_owned())
}

fn class_item(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let low = class_char(chars)?;
    let mut ahead = chars.clone();
    let is_class = low.starts_with('[');
    if is_class || ahead.next() != Some('-') || matches!(ahead.next(), None | Some(']')) {
        return Some(low);
    }
    chars.next();
    Some(format!("{low}-{}", class_char(chars)?))
}

fn class_char(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    match chars.next()? {
        '\\' => escape(chars.next()?),
        c => Some(literal(c)),
    }
}
