//! What is said on the way, to stderr: stdout carries data only.

use std::io::{self, IsTerminal as _, Write as _};

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
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says one line that asks for attention.
pub(crate) fn warn(line: &str) {
    say(&format!("{} {line}", Paint::for_stderr().note("warning:")));
}
