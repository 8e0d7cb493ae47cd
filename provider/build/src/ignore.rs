//! Ignore rules: which paths of a context a build does not see.
//!
//! The rules are those of moby/patternmatcher as BuildKit walks with them, its quirks included: every
//! pattern is anchored at the context's root, the last pattern that matches wins, and a pattern that
//! matches a folder matches what is in it. Nothing here touches a file.

mod glob;
mod regex;

use glob::Pattern;
pub use glob::PatternError;

/// The patterns of one ignore file.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    patterns: Vec<Pattern>,
    /// Where each is in the file, counted from 1; empty for patterns from elsewhere.
    lines: Vec<usize>,
}

/// What was decided about a path, for the path itself and as the start for what lies below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// Whether the path is ignored.
    pub(crate) ignored: bool,
    /// For each pattern, whether it matched; empty at the root.
    matched: Vec<bool>,
}

impl Rules {
    /// The rules written in an ignore file: one a line, `#` in the first column for comments.
    ///
    /// # Errors
    /// The first pattern that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut rules = Self::default();
        for (line, pattern) in lines(text) {
            if let Some(pattern) = Pattern::parse(&pattern)? {
                rules.patterns.push(pattern);
                rules.lines.push(line);
            }
        }
        Ok(rules)
    }

    /// The rules of these patterns; those of nothing but white space do not count.
    pub(crate) fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, PatternError> {
        let patterns = patterns.into_iter().filter_map(|text| Pattern::parse(text.as_ref()).transpose());
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()?, lines: Vec::new() })
    }

    /// Whether a path, slash-separated and relative to the root, is ignored.
    pub fn ignores(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.fold(Verdict::default(), |parent, end| self.judge(&path[..end], &parent)).ignored
    }

    /// The line that makes a path ignored: the last that says so, of the path or of a folder it is in.
    pub(crate) fn line_against(&self, path: &str) -> Option<usize> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let verdict = ends.fold(Verdict::default(), |parent, end| self.judge(&path[..end], &parent));
        let mut matched = verdict.matched.iter().zip(&self.patterns);
        let last = matched.rposition(|(matched, pattern)| *matched && !pattern.brings_back);
        last.filter(|_| verdict.ignored).and_then(|last| self.lines.get(last).copied())
    }

    /// Decides about `path`, given the verdict on the folder it is in.
    pub(crate) fn judge(&self, path: &str, parent: &Verdict) -> Verdict {
        let mut verdict = Verdict { ignored: false, matched: vec![false; self.patterns.len()] };
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = parent.matched.get(index).copied().unwrap_or_default();
            // As in moby: a pattern that could not change the verdict is not tried, and counts as no match.
            if inherited || (pattern.brings_back == verdict.ignored && pattern.matches(path)) {
                verdict.matched[index] = true;
                verdict.ignored = !pattern.brings_back;
            }
        }
        verdict
    }

    /// Whether something below the ignored folder `path` may be brought back by a `!` pattern.
    pub(crate) fn may_bring_back_below(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.brings_back && pattern.may_match_below(path))
    }
}

/// The patterns in the text of an ignore file and their lines, cleaned as moby/patternmatcher's `ignorefile` does.
fn lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    let lines = lines.map(|(index, line)| (index + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    lines.map(|(number, line)| match line.strip_prefix('!') {
        Some(rest) => (number, format!("!{}", from_root(rest.trim()))),
        None => (number, from_root(line)),
    })
}

fn from_root(pattern: &str) -> String {
    if pattern.is_empty() {
        return String::new();
    }
    let clean = glob::clean(pattern);
    match clean.strip_prefix('/') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => clean,
    }
}

#[cfg(test)]
mod moby;
#[cfg(test)]
mod tests;
