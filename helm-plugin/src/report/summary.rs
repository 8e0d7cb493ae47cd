//! The report as Markdown, for the page of a job. Words of others are made so that they are nothing but text there.

use std::fmt::Write as _;

use super::Report;
use crate::{changes::ImageChange, exit::Exit, failure::Failure, text};

/// Rows of a table, and lines of what stood in the way: a page has room for a megabyte.
const ROWS: usize = 200;

impl Report {
    /// How it ended, the images, and what stood in the way.
    pub(super) fn summary(&self, result: &Result<Exit, Failure>) -> String {
        let name = self.release.as_deref().unwrap_or("release");
        let state = self.outcome.as_ref().map_or("not started".to_owned(), ToString::to_string);
        let sign = if result.is_ok() { "✅" } else { "❌" };
        let mut out = format!("### {sign} {} {}: {}\n\n", self.verb, plain(name), plain(&state));
        if let Err(failure) = result {
            failure.chain().iter().for_each(|line| _ = writeln!(out, "- {}", plain(line)));
            failure.hint().iter().for_each(|hint| _ = writeln!(out, "- hint: {}", plain(hint)));
            out.push('\n');
        }
        if !self.images.is_empty() {
            out.push_str("| image of | before | now |\n| --- | --- | --- |\n");
        }
        for ImageChange { place, before, after } in self.images.iter().take(ROWS) {
            let cell = |image: &Option<String>| image.as_deref().map(plain).unwrap_or_default();
            let before = if before == after { "the same".to_owned() } else { cell(before) };
            let _ = writeln!(out, "| {} | {before} | {} |", plain(place), cell(after));
        }
        let obstacles = self.followed.obstacles.lines();
        if !obstacles.is_empty() {
            out.push_str("\n<details><summary>What stood in the way</summary>\n\n<pre>\n");
            obstacles.iter().take(ROWS).for_each(|line| _ = writeln!(out, "{}", escaped(line)));
            out.push_str("</pre>\n</details>\n");
        }
        out + "\n"
    }
}

/// One line without any markup.
fn plain(text: &str) -> String {
    escaped(&text::line(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text::visible(text).chars() {
        if letter.is_ascii_punctuation() && !matches!(letter, '.' | '-' | '/') {
            let _ = write!(out, "&#{};", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_16_words_of_others_are_no_markup() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check("a.b/c-d e", "a.b/c-d e");
        check("<b>|[x](y)", "&#60;b&#62;&#124;&#91;x&#93;&#40;y&#41;");
        check("a\n\u{1b}[2J`", "a &#91;2J&#96;");
    }
}
