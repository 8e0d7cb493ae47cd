//! The shell's words as Dockerfiles have them: quotes, escapes and variables, by BuildKit's rules and no other shell's.

use std::{iter::Peekable, str::Chars};

use regex::Regex;

use super::error::ExpansionError;

/// A value that is made of others in bytes: doubling one forty times would fill any memory.
const LONGEST: usize = 1 << 20;

/// What is known of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// It has this value.
    Set(String),
    /// There is none of this name.
    Unset,
    /// Only the builder will know.
    Unknown,
}

/// How a text is read.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "four habits, each independent of the others")]
pub(crate) struct Lex<'a> {
    escape: char,
    variables: &'a dyn Fn(&str) -> Variable,
    /// Quotes stay in the result.
    raw_quotes: bool,
    /// Escape characters stay in the result.
    raw_escapes: bool,
    /// Quotes are letters like others.
    ignore_quotes: bool,
    /// Variables without a value stay in the result.
    keep_unset: bool,
}

impl<'a> Lex<'a> {
    /// Values for variables, no quotes or escapes in the result.
    pub(crate) fn new(escape: char, variables: &'a dyn Fn(&str) -> Variable) -> Self {
        Self {
            escape,
            variables,
            raw_quotes: false,
            raw_escapes: false,
            ignore_quotes: false,
            keep_unset: false,
        }
    }

    /// For here-documents' words: no variables, and, if `raw`, quotes and escapes kept.
    pub(crate) fn of_heredocs(raw_quotes: bool, raw_escapes: bool) -> Self {
        Self { raw_quotes, raw_escapes, keep_unset: true, ..Self::new('\\', &|_| Variable::Unset) }
    }

    /// For what is in a here-document: variables, and no quotes.
    pub(crate) fn of_content(variables: &'a dyn Fn(&str) -> Variable) -> Self {
        Self { ignore_quotes: true, ..Self::new('\\', variables) }
    }

    /// The text as one word, spaces kept.
    pub(crate) fn word(self, text: &str) -> Result<String, ExpansionError> {
        Ok(Reader::new(self, text).until(None, self.raw_escapes, false)?.0)
    }

    /// The text cut at spaces outside quotes.
    pub(crate) fn words(self, text: &str) -> Result<Vec<String>, ExpansionError> {
        Ok(Reader::new(self, text).until(None, self.raw_escapes, false)?.1)
    }
}

struct Reader<'a> {
    lex: Lex<'a>,
    chars: Peekable<Chars<'a>>,
    raw_escapes: bool,
    /// The word being read. BuildKit has one for a text and the texts inside its `${…}`, and so has this.
    word: String,
}

/// The words read so far.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    in_word: bool,
}

impl<'a> Reader<'a> {
    fn new(lex: Lex<'a>, text: &'a str) -> Self {
        Self { lex, chars: text.chars().peekable(), raw_escapes: lex.raw_escapes, word: String::new() }
    }

    /// Reads up to `end`, as one text and as words. In a pattern, escapes in quotes are doubled, as it is read again.
    fn until(
        &mut self,
        end: Option<char>,
        raw_escapes: bool,
        pattern: bool,
    ) -> Result<(String, Vec<String>), ExpansionError> {
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let read = self.read_until(end, pattern);
        self.raw_escapes = outer;
        read
    }

    fn read_until(
        &mut self,
        end: Option<char>,
        pattern: bool,
    ) -> Result<(String, Vec<String>), ExpansionError> {
        self.word.clear();
        let (mut result, mut words) = (String::new(), Words::default());
        while let Some(next) = self.chars.peek().copied() {
            if Some(next) == end {
                self.chars.next();
                return Ok((result, self.finish(words)));
            }
            match next {
                '$' => {
                    let value = self.dollar()?;
                    result.push_str(&value);
                    value.chars().for_each(|c| self.letter(&mut words, c));
                    if result.len() > LONGEST {
                        return Err(ExpansionError::TooLong);
                    }
                }
                '<' => self.raw(&mut words, &mut result, |reader| Ok(reader.angle()))?,
                '\'' if !self.lex.ignore_quotes => {
                    self.raw(&mut words, &mut result, |reader| reader.single(pattern))?;
                }
                '"' if !self.lex.ignore_quotes => {
                    self.raw(&mut words, &mut result, |reader| reader.double(pattern))?;
                }
                _ => self.plain(&mut words, &mut result),
            }
        }
        match end {
            Some(end) => Err(ExpansionError::Unclosed(end)),
            None => Ok((result, self.finish(words))),
        }
    }

    fn raw(
        &mut self,
        words: &mut Words,
        result: &mut String,
        read: impl Fn(&mut Self) -> Result<String, ExpansionError>,
    ) -> Result<(), ExpansionError> {
        let text = read(self)?;
        result.push_str(&text);
        self.word.push_str(&text);
        words.in_word = true;
        Ok(())
    }

    fn plain(&mut self, words: &mut Words, result: &mut String) {
        let Some(c) = self.chars.next() else { return };
        if c != self.lex.escape {
            result.push(c);
            return self.letter(words, c);
        }
        let escaped = self.raw_escapes.then_some(c).into_iter().chain(self.chars.next());
        for c in escaped {
            result.push(c);
            self.word.push(c);
            words.in_word = true;
        }
    }

    /// Takes a letter that ends the word if it is a space.
    fn letter(&mut self, words: &mut Words, c: char) {
        if !c.is_whitespace() {
            self.word.push(c);
            words.in_word = true;
        } else if words.in_word && !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
            words.in_word = false;
        }
    }

    fn finish(&mut self, mut words: Words) -> Vec<String> {
        if !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
        }
        words.done
    }

    fn single(&mut self, pattern: bool) -> Result<String, ExpansionError> {
        let mut result = String::new();
        result.extend(self.chars.next().filter(|_| self.lex.raw_quotes));
        loop {
            let c = self.chars.next().ok_or(ExpansionError::Unclosed('\''))?;
            if c == '\'' {
                result.extend(self.lex.raw_quotes.then_some(c));
                return Ok(result);
            }
            if pattern && c == self.lex.escape {
                result.push(c);
            }
            result.push(c);
        }
    }

    fn double(&mut self, pattern: bool) -> Result<String, ExpansionError> {
        let mut result = String::new();
        result.extend(self.chars.next().filter(|_| self.lex.raw_quotes));
        loop {
            match self.chars.peek().copied().ok_or(ExpansionError::Unclosed('"'))? {
                '"' => {
                    result.extend(self.chars.next().filter(|_| self.lex.raw_quotes));
                    return Ok(result);
                }
                '$' if result.len() > LONGEST => return Err(ExpansionError::TooLong),
                '$' => result.push_str(&self.dollar()?),
                c if c == self.lex.escape => self.escape_in_quotes(&mut result, pattern),
                _ => result.extend(self.chars.next()),
            }
        }
    }

    fn escape_in_quotes(&mut self, result: &mut String, pattern: bool) {
        let escape = self.chars.next();
        match self.chars.peek().copied() {
            None => {}
            Some(c) if c == '"' || c == '$' || c == self.lex.escape => {
                result.extend(escape.filter(|_| self.raw_escapes));
                result.extend(self.chars.next());
            }
            Some(_) => {
                let doubled = self.raw_escapes && (!self.lex.raw_quotes || pattern);
                result.extend(escape.filter(|_| doubled));
                result.extend(escape);
            }
        }
    }

    /// `<`, or `<<` with the spaces after it, which belong to the word of a here-document.
    fn angle(&mut self) -> String {
        self.chars.next();
        if self.chars.next_if_eq(&'<').is_none() {
            return "<".to_owned();
        }
        let mut result = "<<".to_owned();
        while let Some(space) = self.chars.next_if(|c| matches!(c, '\t' | '\r' | ' ')) {
            result.push(space);
        }
        result
    }

    fn dollar(&mut self) -> Result<String, ExpansionError> {
        self.chars.next();
        if self.chars.next_if_eq(&'{').is_some() {
            return self.braces();
        }
        let name = self.name();
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        Ok(self
            .value(&name)?
            .unwrap_or_else(|| if self.lex.keep_unset { format!("${name}") } else { String::new() }))
    }

    /// The value, `None` where there is no such variable.
    fn value(&self, name: &str) -> Result<Option<String>, ExpansionError> {
        match (self.lex.variables)(name) {
            Variable::Set(value) => Ok(Some(value)),
            Variable::Unset => Ok(None),
            Variable::Unknown => Err(ExpansionError::Unknown(name.to_owned())),
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.chars.peek().copied() {
            let first = name.is_empty();
            if first && c.is_numeric() {
                while let Some(digit) = self.chars.next_if(|c| c.is_numeric()) {
                    name.push(digit);
                }
                return name;
            }
            if first && matches!(c, '@' | '*' | '#' | '?' | '-' | '$' | '!' | '0') {
                self.chars.next();
                return c.to_string();
            }
            if !c.is_alphabetic() && !c.is_numeric() && c != '_' {
                break;
            }
            name.push(c);
            self.chars.next();
        }
        name
    }

    /// What follows `${`.
    fn braces(&mut self) -> Result<String, ExpansionError> {
        match self.chars.peek() {
            None => return Err(ExpansionError::Unclosed('}')),
            Some('{' | '}' | ':') => return Err(ExpansionError::BadSubstitution),
            Some(_) => {}
        }
        let name = self.name();
        let modifier = self.chars.next();
        match modifier {
            Some('}') => {
                let value = self.value(&name)?;
                Ok(value.unwrap_or_else(|| {
                    if self.lex.keep_unset { format!("${{{name}}}") } else { String::new() }
                }))
            }
            Some(':') => self.modified(&name, true),
            Some(c @ ('+' | '-' | '?' | '#' | '%')) => self.with_modifier(&name, c, false),
            Some('/') => self.replaced(&name),
            Some(other) => Err(ExpansionError::UnknownModifier(other.to_string())),
            None => Err(ExpansionError::Unclosed('}')),
        }
    }

    fn modified(&mut self, name: &str, empty_is_unset: bool) -> Result<String, ExpansionError> {
        match self.chars.next() {
            Some(c @ ('#' | '%')) => Err(ExpansionError::UnknownModifier(format!(":{c}"))),
            Some(c) => self.with_modifier(name, c, empty_is_unset),
            None => Err(ExpansionError::Unclosed('}')),
        }
    }

    fn with_modifier(
        &mut self,
        name: &str,
        modifier: char,
        empty_is_unset: bool,
    ) -> Result<String, ExpansionError> {
        let is_pattern = matches!(modifier, '#' | '%');
        let word = self.until(Some('}'), is_pattern, is_pattern)?.0;
        let colon = if empty_is_unset { ":" } else { "" };
        let value = self.value(name)?;
        if self.lex.keep_unset && value.is_none() {
            return Ok(format!("${{{name}{colon}{modifier}{word}}}"));
        }
        let given = value.clone().filter(|value| !empty_is_unset || !value.is_empty());
        match modifier {
            '-' => Ok(given.unwrap_or(word)),
            '+' => Ok(given.map(|_| word).unwrap_or_default()),
            '?' => given.ok_or_else(|| ExpansionError::Required {
                name: name.to_owned(),
                message: match (word.is_empty(), value) {
                    (false, _) => word,
                    (true, None) => "is not allowed to be unset".to_owned(),
                    (true, Some(_)) => "is not allowed to be empty".to_owned(),
                },
            }),
            '#' | '%' => {
                let value = value.unwrap_or_default();
                let (pattern, longest) =
                    word.strip_prefix(modifier).map_or((word.as_str(), false), |rest| (rest, true));
                if modifier == '#' {
                    without_prefix(&value, pattern, longest)
                } else {
                    without_suffix(&value, pattern, longest)
                }
            }
            _ => Err(ExpansionError::UnknownModifier(format!("{colon}{modifier}"))),
        }
    }

    /// `${name/pattern/replacement}`, or `//` for all of them.
    fn replaced(&mut self, name: &str) -> Result<String, ExpansionError> {
        let all = self.chars.next_if_eq(&'/').is_some();
        let pattern = self.until(Some('/'), true, true)?.0;
        let replacement = self.until(Some('}'), true, false)?.0;
        let value = self.value(name)?;
        if self.lex.keep_unset && value.is_none() {
            return Ok(format!("${{{name}/{pattern}/{replacement}}}"));
        }
        let (regex, value) = (pattern_of(&pattern, true, false)?, value.unwrap_or_default());
        // As in BuildKit: where all are replaced, `$1` in the replacement is a group, of which there are none.
        Ok(if all {
            regex.replace_all(&value, replacement.as_str()).into_owned()
        } else {
            regex.replacen(&value, 1, regex::NoExpand(&replacement)).into_owned()
        })
    }
}

fn without_prefix(value: &str, pattern: &str, longest: bool) -> Result<String, ExpansionError> {
    let regex = pattern_of(pattern, longest, true)?;
    Ok(value[regex.find(value).map_or(0, |found| found.end())..].to_owned())
}

/// The shortest suffix cannot be asked for, so both texts are reversed.
fn without_suffix(value: &str, pattern: &str, longest: bool) -> Result<String, ExpansionError> {
    let reversed: String = value.chars().rev().collect();
    let rest = without_prefix(&reversed, &reversed_pattern(pattern), longest)?;
    Ok(rest.chars().rev().collect())
}

/// `a\*c` becomes `c\*a`.
fn reversed_pattern(pattern: &str) -> String {
    let mut letters: Vec<String> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        letters.push([Some(c), escaped].into_iter().flatten().collect());
    }
    letters.into_iter().rev().collect()
}

/// `*` and `?` as a regular expression.
fn pattern_of(pattern: &str, longest: bool, anchored: bool) -> Result<Regex, ExpansionError> {
    let malformed = || ExpansionError::BadPattern(pattern.to_owned());
    let mut expression = String::from(if anchored { "^" } else { "" });
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => expression.push_str(if longest { ".*" } else { ".*?" }),
            '?' => expression.push('.'),
            '\\' if matches!(chars.peek(), Some('}' | '/')) => {}
            '\\' => match chars.next() {
                Some(c @ ('*' | '?' | '\\')) => expression.extend(['\\', c]),
                _ => return Err(malformed()),
            },
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    Regex::new(&expression).map_err(|_| malformed())
}

#[cfg(test)]
mod tests;
