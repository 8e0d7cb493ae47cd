//! What went wrong, carried to `main` and printed there once: the object, the chain of causes, the remedy.

use std::fmt::Write as _;

use crate::{exit::Exit, talk::Paint};

/// An error that a person can act on.
pub(crate) trait Explain: std::error::Error + Send + Sync + 'static {
    /// How the process ends because of it.
    fn exit(&self) -> Exit;

    /// What to do about it, if that is known.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Any error on its way to `main`.
#[derive(Debug)]
pub(crate) struct Failure(Box<dyn Explain>);

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl Failure {
    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit()
    }

    /// The text for a terminal, ended by a newline.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let mut text = format!("{} {}\n", paint.bad("error:"), indent(&self.0.to_string()));
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let _ = writeln!(text, "  caused by: {}", indent(&error.to_string()));
            cause = error.source();
        }
        if let Some(hint) = self.0.hint() {
            let _ = writeln!(text, "{} {}", paint.note("hint:"), indent(&hint));
        }
        text
    }
}

/// Further lines of one message stand below its first.
fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot deploy `web`\nto `shop`")]
    struct Sample(#[source] std::fmt::Error);

    impl Explain for Sample {
        fn exit(&self) -> Exit {
            Exit::Failure
        }

        fn hint(&self) -> Option<String> {
            Some("try again".to_owned())
        }
    }

    #[test]
    fn shows_object_cause_and_remedy() {
        let failure = Failure::from(Sample(std::fmt::Error));
        let expected = format!(
            "error: cannot deploy `web`\n  to `shop`\n  caused by: {}\nhint: try again\n",
            std::fmt::Error
        );
        assert_eq!(failure.render(Paint::plain()), expected);
    }
}
