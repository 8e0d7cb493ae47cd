//! Takes an instruction's text apart: its keyword, its flags, and arguments by the rules of its kind.

use super::{
    error::{DockerfileError, Problem},
    lines::Logical,
};

/// An instruction, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) keyword: String,
    /// Each with the offset in the text where it begins.
    pub(crate) flags: Vec<(usize, String)>,
    pub(crate) arguments: Arguments,
    /// Where the arguments begin in the text.
    pub(crate) offset: usize,
}

/// What follows the keyword and the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Nothing, or nothing that is understood.
    None,
    /// One text, or words.
    Plain(Vec<String>),
    /// A JSON array.
    Json(Vec<String>),
    /// Names and values, and whether a `=` was between them.
    Pairs(Vec<(String, String, bool)>),
    /// A word, and then a text or a JSON array: `HEALTHCHECK CMD`.
    Typed(String, Box<Arguments>),
    /// Another instruction: `ONBUILD`.
    Nested(Box<Split>),
}

/// White space between words of a line.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Takes the text apart.
pub(crate) fn split(logical: &Logical, escape: char) -> Result<Split, DockerfileError> {
    part(logical, 0, escape)
}

/// The instruction that begins at this offset of the text.
fn part(logical: &Logical, offset: usize, escape: char) -> Result<Split, DockerfileError> {
    let text = &logical.text[offset..];
    let start = offset + (text.len() - text.trim_start().len());
    let text = text.trim();
    let keyword_end = text.find(is_space).unwrap_or(text.len());
    let keyword = text[..keyword_end].to_owned();
    let rest = text[keyword_end..].trim_start_matches(is_space);
    let rest_start = start + text.len() - rest.len();
    let (flags, length) = flags(rest, escape);
    let after = &rest[length..];
    let flags = flags.into_iter().map(|(at, flag)| (rest_start + at, flag)).collect();
    let arguments_start = rest_start + length + (after.len() - after.trim_start().len());
    let arguments = after.trim();
    let error = |problem| logical.error(arguments_start, problem);
    let arguments = match keyword.to_lowercase().as_str() {
        "add" | "copy" | "volume" => match json(arguments).map_err(error)? {
            Some(words) => Arguments::Json(words),
            None => words_at_spaces(arguments),
        },
        "cmd" | "entrypoint" | "run" | "shell" => text_or_json(arguments).map_err(error)?,
        "expose" | "from" => words_at_spaces(arguments),
        "maintainer" | "stopsignal" | "user" | "workdir" => plain(arguments),
        "arg" => match words(arguments, escape) {
            words if words.is_empty() => Arguments::None,
            words => Arguments::Plain(words),
        },
        "env" => pairs("ENV", arguments, escape).map_err(error)?,
        "label" => pairs("LABEL", arguments, escape).map_err(error)?,
        "healthcheck" => typed(arguments).map_err(error)?,
        "onbuild" if !arguments.is_empty() => {
            Arguments::Nested(Box::new(part(logical, arguments_start, escape)?))
        }
        _ => Arguments::None,
    };
    Ok(Split { keyword, flags, arguments, offset: arguments_start })
}

/// Whether `<<` in this instruction begins a here-document.
pub(crate) fn can_have_heredocs(split: &Split) -> bool {
    let split = match &split.arguments {
        Arguments::Nested(nested) => nested,
        _ => split,
    };
    let takes = ["add", "copy", "run"].contains(&split.keyword.to_lowercase().as_str());
    takes && !matches!(split.arguments, Arguments::Json(_))
}

fn plain(text: &str) -> Arguments {
    if text.is_empty() { Arguments::None } else { Arguments::Plain(vec![text.to_owned()]) }
}

fn words_at_spaces(text: &str) -> Arguments {
    if text.is_empty() {
        return Arguments::None;
    }
    Arguments::Plain(text.split(is_space).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn text_or_json(text: &str) -> Result<Arguments, Problem> {
    Ok(match json(text)? {
        Some(words) => Arguments::Json(words),
        None => plain(text),
    })
}

/// The words of a JSON array; `None` for anything else. An array of other than texts is a mistake.
fn json(text: &str) -> Result<Option<Vec<String>>, Problem> {
    if !text.trim_start().starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) else { return Ok(None) };
    let word = |value| match value {
        serde_json::Value::String(word) => Ok(word),
        other => Err(Problem::Value { value: other.to_string(), what: "text, as all of a list have to be" }),
    };
    values.into_iter().map(word).collect::<Result<_, _>>().map(Some)
}

fn pairs(instruction: &'static str, text: &str, escape: char) -> Result<Arguments, Problem> {
    let words = words(text, escape);
    let Some(first) = words.first() else { return Ok(Arguments::None) };
    let problem = |what| Problem::Instruction { instruction, what };
    if !first.contains('=') {
        let (name, value) = text.split_once(is_space).ok_or(problem("needs a name and a value"))?;
        let value = value.trim_start_matches(is_space);
        return Ok(Arguments::Pairs(vec![(name.to_owned(), value.to_owned(), false)]));
    }
    let pair = |word: &String| {
        let (name, value) = word.split_once('=')?;
        Some((name.to_owned(), value.to_owned(), true))
    };
    let pairs: Option<Vec<_>> = words.iter().map(pair).collect();
    pairs.map(Arguments::Pairs).ok_or(problem("has a name without `=` and a value"))
}

fn typed(text: &str) -> Result<Arguments, Problem> {
    // Byte by byte, as BuildKit does.
    let end = text.bytes().position(|byte| char::from(byte).is_whitespace()).unwrap_or(text.len());
    let rest =
        text.bytes().skip(end).position(|byte| !char::from(byte).is_whitespace()).unwrap_or(text.len() - end);
    let (Some(kind), Some(rest)) = (text.get(..end), text.get(end + rest..)) else {
        return Ok(Arguments::None);
    };
    if kind.is_empty() {
        return Ok(Arguments::None);
    }
    Ok(Arguments::Typed(kind.to_owned(), Box::new(text_or_json(rest)?)))
}

/// Words that begin with `--`, each where it begins, and where the first other word is.
///
/// Byte by byte, as BuildKit does: of other than ASCII it makes something else, and so does this.
fn flags(text: &str, escape: char) -> (Vec<(usize, String)>, usize) {
    let bytes = text.as_bytes();
    let (mut flags, mut at) = (Vec::new(), 0);
    loop {
        while bytes.get(at).is_some_and(|byte| char::from(*byte).is_whitespace()) {
            at += 1;
        }
        if !bytes[at.min(bytes.len())..].starts_with(b"--") {
            return (flags, at.min(text.len()));
        }
        let (flag, end) = flag(bytes, at, escape);
        if flag == "--" {
            return (flags, floor(text, end));
        }
        flags.push((at, flag));
        at = end;
    }
}

/// The beginning of the character that this byte is of.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn flag(bytes: &[u8], mut at: usize, escape: char) -> (String, usize) {
    let (mut flag, mut quote) = (String::new(), None);
    while let Some(c) = bytes.get(at).copied().map(char::from) {
        if quote.is_none() && c.is_whitespace() {
            return (flag, at);
        }
        at += 1;
        if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            quote = Some(c);
        } else if c == escape {
            if let Some(escaped) = bytes.get(at) {
                flag.push(char::from(*escaped));
                at += 1;
            }
        } else {
            flag.push(c);
        }
    }
    (flag, at)
}

/// Words at spaces outside quotes; quotes and escapes stay.
fn words(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut quoted) = (String::new(), None, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            if quoted || !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            quoted = false;
            continue;
        }
        match quote {
            None if matches!(c, '\'' | '"') => (quote, quoted) = (Some(c), true),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        if c == escape && quote != Some('\'') {
            // At the end it is passed over.
            let Some(escaped) = chars.next() else { break };
            word.extend([c, escaped]);
        } else {
            word.push(c);
        }
    }
    if quoted || !word.is_empty() {
        words.push(word);
    }
    words
}
