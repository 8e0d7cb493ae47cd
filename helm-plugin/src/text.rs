//! What programs in the cluster say, made fit for a terminal: it may be anything.

/// The longest message that is shown whole, in characters.
const LONGEST: usize = 500;

/// One line without control characters, no longer than a few hundred characters.
pub(crate) fn line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || is_hidden(c)).filter(|w| !w.is_empty()).collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The last lines of a log, without sequences that move cursors, set titles or turn text around.
pub(crate) fn tail(log: &str, count: usize) -> Vec<String> {
    let lines: Vec<String> = log.lines().map(|line| visible(line.trim_end())).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// The line with a sign in the place of what would not be seen.
pub(crate) fn visible(line: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if is_hidden(c) => '\u{fffd}',
        c => c,
    };
    line.chars().map(shown).collect()
}

/// Control characters, and those that change the direction in which text is read.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let check = |text: &str, expected: &str| assert_eq!(line(text), expected);
        check("a  b\n\tc\r\n", "a b c");
        check("\x1b[31mred\x07", "[31mred");
        check("safe\u{202e}evil", "safe evil");
        check(&"x".repeat(501), &format!("{}…", "x".repeat(500)));
    }

    #[test]
    fn logs() {
        let check = |log: &str, expected: &[&str]| assert_eq!(tail(log, 2), expected);
        check("a\nb\nc\n", &["b", "c"]);
        check("\x1b]0;title\x07\n\tb\r\n", &["\u{fffd}]0;title\u{fffd}", " b"]);
        check("", &[]);
    }
}
