//! Where the steps of a Dockerfile are written, as far as an error has to say it.
//!
//! BuildKit alone knows what a Dockerfile means; this knows lines, continuations and here-documents.

use std::iter::Peekable;

/// The instructions of a Dockerfile.
#[derive(Debug)]
pub(super) struct Instructions(Vec<Instruction>);

#[derive(Debug)]
struct Instruction {
    /// Counted from 1.
    line: u32,
    words: Vec<String>,
}

impl Instruction {
    fn is(&self, keywords: &[&str]) -> bool {
        let keyword = self.words.first().map(String::as_str).unwrap_or_default();
        keywords.iter().any(|wanted| keyword.eq_ignore_ascii_case(wanted))
    }

    /// The name that a `FROM` gives its stage.
    fn stage(&self) -> Option<&str> {
        let at = self.words.iter().position(|word| word.eq_ignore_ascii_case("AS"))?;
        self.words.get(at + 1).map(String::as_str).filter(|_| self.is(&["FROM"]))
    }
}

impl Instructions {
    pub(super) fn read(dockerfile: &str) -> Self {
        let mut lines = (1..).zip(dockerfile.lines()).peekable();
        let mut instructions = Vec::new();
        while let Some((line, first)) = lines.next() {
            if !is_comment(first) {
                instructions.push(Instruction { line, words: rest(first, &mut lines) });
            }
        }
        Self(instructions)
    }

    /// The names of the stages.
    pub(super) fn stages(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Instruction::stage)
    }

    /// The line of the step that BuildKit names `[build 3/5] RUN make`: in the stage `build` (`stage-1` if
    /// the second has no name, nothing if there is one stage only), the third that makes a step.
    pub(super) fn line_of(&self, step: &str) -> Option<u32> {
        let (place, text) = step.strip_prefix('[')?.split_once("] ")?;
        let mut place = place.split(' ').rev();
        let number: usize = place.next()?.split_once('/')?.0.parse().ok()?;
        let stage = place.next().filter(|name| !name.contains('/'));
        let keyword = text.split(' ').next()?;
        let mut steps = self
            .stage(stage)?
            .iter()
            .filter(|instruction| instruction.is(&["FROM", "ADD", "COPY", "RUN", "WORKDIR"]));
        let found = steps.nth(number.checked_sub(1)?)?;
        found.is(&[keyword]).then_some(found.line)
    }

    fn stage(&self, name: Option<&str>) -> Option<&[Instruction]> {
        let starts = self.0.iter().enumerate().filter(|(_, instruction)| instruction.is(&["FROM"]));
        let mut stages = starts.enumerate().filter(|(index, (_, from))| match name {
            None => true,
            Some(name) => match from.stage() {
                Some(own) => own.eq_ignore_ascii_case(name),
                None => name == format!("stage-{index}"),
            },
        });
        let (_, (start, _)) = stages.next()?;
        let rest = &self.0[start..];
        let length = rest.iter().skip(1).position(|instruction| instruction.is(&["FROM"]));
        Some(length.map_or(rest, |length| &rest[..=length]))
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The words of an instruction that begins with this line.
fn rest<'a>(first: &'a str, lines: &mut Peekable<impl Iterator<Item = (u32, &'a str)>>) -> Vec<String> {
    let mut text = String::new();
    let mut line = first;
    loop {
        let continued = line.trim_end().strip_suffix('\\');
        text.push_str(continued.unwrap_or(line));
        text.push(' ');
        if continued.is_none() {
            break;
        }
        while lines.next_if(|(_, line)| is_comment(line)).is_some() {}
        match lines.next() {
            Some((_, next)) => line = next,
            None => break,
        }
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    for end in words.iter().filter_map(|word| here_document(word)) {
        while lines.next().is_some_and(|(_, line)| line.trim_start_matches('\t') != end) {}
    }
    words
}

/// The word that ends a here-document which this word begins.
fn here_document(word: &str) -> Option<&str> {
    let (_, end) = word.split_once("<<")?;
    let end = end.strip_prefix('-').unwrap_or(end).trim_matches(['"', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!end.is_empty() && end.chars().all(is_name)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "\
# syntax=docker/dockerfile:1
ARG BASE=scratch
FROM --platform=linux/amd64 $BASE AS build
WORKDIR /app

RUN one && \\
    # why
    two
COPY <<EOF /x
RUN not
EOF
RUN three
FROM build
ENV a=b
run four
from scratch as Last
COPY --from=build /x /
";

    #[test]
    fn finds_the_line_of_a_step() {
        let instructions = Instructions::read(DOCKERFILE);
        let check = |step: &str, line: Option<u32>| assert_eq!(instructions.line_of(step), line, "{step}");
        check("[build 1/5] FROM scratch", Some(3));
        check("[build 2/5] WORKDIR /app", Some(4));
        check("[build 3/5] RUN one &&     two", Some(6));
        check("[build 4/5] COPY <<EOF /x", Some(9));
        check("[linux/amd64 build 5/5] RUN three", Some(12));
        check("[stage-1 2/2] RUN four", Some(15));
        check("[last 2/2] COPY --from=build /x /", Some(17));
        check("[build 3/5] COPY x y", None);
        check("[build 9/9] RUN x", None);
        check("[none 1/1] RUN x", None);
        check("[build 0/1] RUN x", None);
        check("[internal] load metadata for x", None);
        check("exporting to image", None);
        assert_eq!(instructions.stages().collect::<Vec<_>>(), ["build", "Last"]);
    }

    #[test]
    fn a_dockerfile_that_ends_early_is_read_to_its_end() {
        for text in ["", "FROM", "RUN a \\", "RUN a \\\n# c", "COPY <<EOF /x\nno end"] {
            assert!(Instructions::read(text).line_of("[2/2] RUN x").is_none(), "{text}");
        }
    }
}
