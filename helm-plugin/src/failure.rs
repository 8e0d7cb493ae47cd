//! What went wrong, carried to `main` and printed there once: the object, the chain of causes, the remedy.

use std::{error::Error, fmt::Write as _, iter};

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

    /// What to do about it, if that is known.
    pub(crate) fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    /// What went wrong, and what each of that was caused by.
    pub(crate) fn chain(&self) -> Vec<String> {
        let first: &(dyn Error + 'static) = &*self.0;
        iter::successors(Some(first), |&error| error.source()).map(ToString::to_string).collect()
    }

    /// The text for a terminal, ended by a newline.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let chain = self.chain();
        let mut text = format!("{} {}\n", paint.bad("error:"), indent(&chain[0]));
        for cause in &chain[1..] {
            let _ = writeln!(text, "  caused by: {}", indent(cause));
        }
        if let Some(hint) = self.hint() {
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
