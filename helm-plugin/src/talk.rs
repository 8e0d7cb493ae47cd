//! What is said on the way, to stderr: stdout carries data only.

use std::{
    cell::RefCell,
    io::{self, IsTerminal as _, Write as _},
};

use crate::ci::Ci;

/// Rows that are shown of a table at most: on more than a screen they could not be taken back.
const ROWS: usize = 20;

thread_local! {
    /// The rows that stand below everything else. All is said by one thread.
    static LIVE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// What asked for attention so far.
    static WARNINGS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Colours for a terminal, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Colours only where stderr is a terminal and `NO_COLOR` is not set.
    pub(crate) fn for_stderr() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { on: !refused && io::stderr().is_terminal() }
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { on: false }
    }

    /// For errors.
    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// For warnings and remedies.
    pub(crate) fn note(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Says one line. A stderr that is gone is no reason to stop a deployment.
pub(crate) fn say(line: &str) {
    beside(|| {
        let _ = writeln!(io::stderr(), "{line}");
    });
}

/// Keeps a table on the terminal, below all that is said, in the place of the last one; no rows take it away.
pub(crate) fn live(mut rows: Vec<String>) {
    let width = rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |size| size.ws_col.into());
    rows.truncate(ROWS);
    for row in &mut rows {
        *row = row.chars().take(width).collect();
    }
    LIVE.with_borrow_mut(|live| {
        let _ = erase(live.len()).and_then(|()| draw(&rows));
        *live = rows;
    });
}

/// Lets something else be written, above the table.
pub(crate) fn beside(write: impl FnOnce()) {
    LIVE.with_borrow(|live| {
        let _ = erase(live.len());
        write();
        let _ = draw(live);
    });
}

fn erase(rows: usize) -> io::Result<()> {
    // Up to the first row, and nothing from there on.
    if rows == 0 { Ok(()) } else { write!(io::stderr(), "\x1b[{rows}F\x1b[J") }
}

fn draw(rows: &[String]) -> io::Result<()> {
    rows.iter().try_for_each(|row| writeln!(io::stderr(), "{row}"))
}

/// Says one line that asks for attention.
pub(crate) fn warn(line: &str) {
    WARNINGS.with_borrow_mut(|warnings| warnings.push(line.to_owned()));
    let text = format!("{} {line}", Paint::for_stderr().note("warning:"));
    say(&Ci::of_environment().quoted(&text));
}

/// The lines that asked for attention so far.
pub(crate) fn warnings() -> Vec<String> {
    WARNINGS.with_borrow(Clone::clone)
}
