//! The lines of a Dockerfile: directives, comments, continuations and here-documents.

use super::{
    error::{DockerfileError, Problem},
    heredoc::{self, Heredoc},
    split::{Split, can_have_heredocs, split},
};

/// The escape character where no directive names another.
const ESCAPE: char = '\\';

/// What the comments at the beginning say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// The frontend that reads the Dockerfile: `docker/dockerfile:1`.
    pub syntax: Option<String>,
    /// The character that escapes, and that continues a line.
    pub escape: char,
}

/// One instruction as it is written, over one line or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logical {
    /// Continuations joined, comments within them left out.
    pub(crate) text: String,
    /// Where a piece of the text begins: its offset there, then line and column.
    pieces: Vec<(usize, u32, u32)>,
    /// The first and the last line, here-documents included, counted from 1.
    pub(crate) lines: (u32, u32),
    pub(crate) heredocs: Vec<Heredoc>,
}

impl Logical {
    /// Line and column of an offset of the text.
    pub(crate) fn position(&self, offset: usize) -> (u32, u32) {
        let piece = self.pieces.iter().rev().find(|(start, ..)| *start <= offset);
        let (start, line, column) = piece.copied().unwrap_or((0, self.lines.0, 1));
        let before = self.text.get(start..offset).map_or(0, |text| text.chars().count());
        (line, column + u32::try_from(before).unwrap_or(u32::MAX - column))
    }

    /// The problem, at this offset of the text.
    pub(crate) fn error(&self, offset: usize, problem: Problem) -> DockerfileError {
        let (line, column) = self.position(offset);
        DockerfileError { line, column, problem }
    }
}

/// Reads all of a Dockerfile.
pub(crate) fn read(dockerfile: &str) -> Result<(Directives, Vec<(Logical, Split)>), DockerfileError> {
    let text = dockerfile.strip_prefix('\u{feff}').unwrap_or(dockerfile);
    let mut reader = Reader {
        lines: (1..).zip(text.split_inclusive('\n')).collect(),
        next: 0,
        reading_directives: true,
        seen: Vec::new(),
        escape: ESCAPE,
    };
    let mut instructions = Vec::new();
    while let Some(mut logical) = reader.logical()? {
        let split = split(&logical, reader.escape)?;
        if can_have_heredocs(&split) && logical.text.contains("<<") {
            reader.heredocs(&mut logical)?;
        }
        instructions.push((logical, split));
    }
    if instructions.is_empty() {
        return Err(DockerfileError { line: 1, column: 1, problem: Problem::Empty });
    }
    Ok((Directives { syntax: syntax(dockerfile), escape: reader.escape }, instructions))
}

/// The value of `# syntax=`, `// syntax=` or `{"syntax": …}` at the beginning, after a `#!` line.
pub(crate) fn syntax(dockerfile: &str) -> Option<String> {
    let text = dockerfile.strip_prefix('\u{feff}').unwrap_or(dockerfile);
    let text = if text.starts_with("#!") { text.split_once('\n').map_or("", |(_, rest)| rest) } else { text };
    let of_comments = ["#", "//"].into_iter().find_map(|comment| {
        let directives = text.lines().map_while(|line| directive(line, comment));
        let found = directives.filter(|(name, _)| name == "syntax").map(|(_, value)| value).next();
        found.map(|value| value.split(' ').next().unwrap_or_default().to_owned())
    });
    of_comments.or_else(|| {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        Some(json.get("syntax")?.as_str()?.to_owned())
    })
}

/// `# name = value` of the names there are.
fn directive(line: &str, comment: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix(comment)?.trim_start().split_once('=')?;
    let name = name.trim_end_matches(is_ascii_space);
    let known = ["syntax", "escape", "check"].iter().find(|known| name.eq_ignore_ascii_case(known))?;
    // A space alone is a value.
    let value = match value.trim_matches(is_ascii_space) {
        "" => value.chars().last()?.to_string(),
        value => value.to_owned(),
    };
    Some(((*known).to_owned(), value))
}

/// White space as regular expressions of Go have it.
fn is_ascii_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

struct Reader<'a> {
    /// With their ends, and counted from 1.
    lines: Vec<(u32, &'a str)>,
    next: usize,
    /// No line was met yet that ends the directives.
    reading_directives: bool,
    seen: Vec<String>,
    escape: char,
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<(u32, &'a str)> {
        let line = self.lines.get(self.next).copied();
        self.next += 1;
        line
    }

    /// The next instruction, without its here-documents.
    fn logical(&mut self) -> Result<Option<Logical>, DockerfileError> {
        while let Some((number, raw)) = self.line() {
            let ended = raw.trim_end_matches(['\r', '\n']);
            let line = ended.trim_start();
            self.directive(number, line)?;
            let line = if line.starts_with('#') { "" } else { line };
            let (line, continues) = self.continued(line);
            if !continues && line.is_empty() {
                continue;
            }
            let indent = ended.len() - ended.trim_start().len();
            let mut logical = Logical {
                text: line.to_owned(),
                pieces: vec![(0, number, column(ended, indent))],
                lines: (number, number),
                heredocs: Vec::new(),
            };
            if continues {
                self.continuations(&mut logical);
            }
            return Ok(Some(logical));
        }
        Ok(None)
    }

    fn continuations(&mut self, logical: &mut Logical) {
        while let Some((number, raw)) = self.line() {
            let line = raw.trim_end_matches(['\r', '\n']);
            logical.lines.1 = number;
            let content = line.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let (line, continues) = self.continued(line);
            logical.pieces.push((logical.text.len(), number, 1));
            logical.text.push_str(line);
            if !continues {
                break;
            }
        }
    }

    /// The line without the character that continues it.
    fn continued(&self, line: &'a str) -> (&'a str, bool) {
        match line.trim_end_matches([' ', '\t']).strip_suffix(self.escape) {
            Some(rest) if !rest.ends_with(self.escape) => (rest, true),
            _ => (line, false),
        }
    }

    fn directive(&mut self, line: u32, text: &str) -> Result<(), DockerfileError> {
        let found = if self.reading_directives { directive(text, "#") } else { None };
        let Some((name, value)) = found else {
            self.reading_directives = false;
            return Ok(());
        };
        let wrong = |what| DockerfileError {
            line,
            column: 1,
            problem: Problem::Directive { name: name.clone(), what },
        };
        if self.seen.contains(&name) {
            return Err(wrong("is there twice"));
        }
        if name == "escape" {
            self.escape = match value.as_str() {
                "\\" => '\\',
                "`" => '`',
                _ => return Err(wrong("is neither \\ nor `")),
            };
        }
        self.seen.push(name);
        Ok(())
    }

    fn heredocs(&mut self, logical: &mut Logical) -> Result<(), DockerfileError> {
        let docs = heredoc::of_line(&logical.text).map_err(|error| logical.error(0, error.into()))?;
        for mut doc in docs {
            loop {
                let Some((number, raw)) = self.line() else {
                    let offset = logical.text.find("<<").unwrap_or_default();
                    return Err(logical.error(offset, Problem::Heredoc(doc.name)));
                };
                logical.lines.1 = number;
                let end = raw.trim_end_matches(['\r', '\n']);
                if (if doc.chomp { end.trim_start_matches('\t') } else { end }) == doc.name {
                    break;
                }
                doc.content.push_str(raw);
            }
            logical.heredocs.push(doc);
        }
        Ok(())
    }
}

fn column(line: &str, offset: usize) -> u32 {
    u32::try_from(line[..offset].chars().count() + 1).unwrap_or(u32::MAX)
}
