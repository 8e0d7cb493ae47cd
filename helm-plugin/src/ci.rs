//! The pipeline that runs us, as far as it reads what we print.

use std::{
    env,
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

/// Whose log we write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ci {
    /// GitHub Actions: a line that begins with `::` is a command to it.
    GitHub,
    /// A terminal, or a pipeline whose log is only shown. GitLab's sections begin with an escape sequence, which is
    /// taken out of all that is shown.
    None,
}

impl Ci {
    /// The one that says so in the environment.
    pub(crate) fn of_environment() -> Self {
        if env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            Self::GitHub
        } else {
            Self::None
        }
    }

    /// Words of others, shown so that nothing in them is a command.
    pub(crate) fn quoted(self, text: &str) -> String {
        match self {
            // Nobody who wrote the text knew what ends the quotation.
            Self::GitHub => {
                let end = RandomState::new().build_hasher().finish();
                format!("::stop-commands::{end:016x}\n{text}\n::{end:016x}::")
            }
            Self::None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_for_github() {
        assert_eq!(Ci::None.quoted("::error::x"), "::error::x");
        let (first, second) = (Ci::GitHub.quoted("::error::x"), Ci::GitHub.quoted("::error::x"));
        let lines: Vec<&str> = first.lines().collect();
        let [begin, "::error::x", end] = lines[..] else { panic!("{first}") };
        assert_eq!(end, format!("::{}::", begin.strip_prefix("::stop-commands::").unwrap()));
        assert_ne!(first, second);
    }
}
