//! The closing words of `cargo xtask test`. Pure.

use std::fmt::Write;
use std::time::Duration;

/// What became of a step.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
    /// cargo test's own lines: every summary, and every test that failed.
    pub(super) results: Vec<String>,
    /// What could not run here, a sentence each.
    pub(super) skipped: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    Failed(String),
}

impl Row {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            took: Duration::ZERO,
            outcome: Outcome::Passed,
            results: Vec::new(),
            skipped: Vec::new(),
        }
    }

    fn line(&self) -> String {
        let minutes = self.took.as_secs_f64() / 60.0;
        let outcome = match &self.outcome {
            Outcome::Failed(error) => format!("FAILED: {}", error.lines().next().unwrap_or_default()),
            Outcome::Passed if self.skipped.is_empty() => "ok".to_owned(),
            Outcome::Passed => format!("ok, {} skipped", self.skipped.len()),
        };
        format!("{:14} {minutes:6.1} min  {outcome}", self.name)
    }
}

/// cargo test's summaries, then a line for each step, then what was skipped.
pub(super) fn closing(rows: &[Row], took: Duration) -> String {
    let mut text = String::from("\n");
    for result in rows.iter().flat_map(|row| &row.results) {
        let _ = writeln!(text, "{result}");
    }
    text.push('\n');
    for row in rows {
        let _ = writeln!(text, "{}", row.line());
    }
    let _ = writeln!(text, "{:14} {:6.1} min", "all", took.as_secs_f64() / 60.0);
    let skipped: Vec<_> = rows.iter().flat_map(|row| &row.skipped).collect();
    if !skipped.is_empty() {
        let _ = writeln!(text, "\nskipped: {}", skipped.len());
    }
    for sentence in skipped {
        let _ = writeln!(text, "  {sentence}");
    }
    text
}

/// Whether a line of cargo test's output belongs into the closing words: a failure, or a summary that counts something.
pub(super) fn is_result(line: &str) -> bool {
    let failure = line.starts_with("test ") && line.ends_with(" ... FAILED");
    failure || (line.starts_with("test result: ") && !line.contains(" 0 passed; 0 failed; 0 ignored;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_names_what_failed_and_what_was_skipped() {
        let row = |name: &str, seconds, outcome| Row {
            took: Duration::from_secs(seconds),
            outcome,
            ..Row::new(name.to_owned())
        };
        let mut units = row("units", 90, Outcome::Failed("a test failed\nand more".to_owned()));
        units.results =
            vec!["test a::b ... FAILED".to_owned(), "test result: FAILED. 1 passed; 1 failed".to_owned()];
        let mut modules = row("modules", 6, Outcome::Passed);
        modules.skipped = vec!["modules: terraform is not on PATH".to_owned()];
        let expected = "
test a::b ... FAILED
test result: FAILED. 1 passed; 1 failed

units             1.5 min  FAILED: a test failed
modules           0.1 min  ok, 1 skipped
all               1.6 min

skipped: 1
  modules: terraform is not on PATH
";
        assert_eq!(closing(&[units, modules], Duration::from_secs(96)), expected);
    }

    #[test]
    fn results_are_told_from_other_lines() {
        for (line, expected) in [
            ("test result: ok. 3 passed; 0 failed; 0 ignored", true),
            ("test result: ok. 0 passed; 0 failed; 7 ignored; 0 measured", true),
            ("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out", false),
            ("test names::parses ... FAILED", true),
            ("test names::parses ... ok", false),
            ("running 3 tests", false),
        ] {
            assert_eq!(is_result(line), expected, "{line}");
        }
    }
}
