//! The one place where errors become what Terraform shows.

use std::error::Error;

use tfplugin_rs::{Diagnostic, Path};

/// An error with advice.
pub(crate) trait Report: Error + Sized + 'static {
    /// What to do about it.
    fn advice(&self) -> Option<String>;

    /// The error as Terraform shows it: what failed, then the causes, then the advice.
    fn report(&self) -> Diagnostic {
        Diagnostic::error(capitalized(&self.to_string()), details(self, self.advice()))
    }
}

impl Report for ecr_registry::Error {
    fn advice(&self) -> Option<String> {
        self.hint()
    }
}

impl Report for ecr_registry::NameError {
    fn advice(&self) -> Option<String> {
        self.hint()
    }
}

impl Report for ecr_registry::EndpointError {
    fn advice(&self) -> Option<String> {
        Some("write { \"registry host\" = \"https://host:port/prefix\" }".to_owned())
    }
}

impl Report for image_build::ContextError {
    fn advice(&self) -> Option<String> {
        self.hint()
    }
}

impl Report for image_build::ResolveError {
    fn advice(&self) -> Option<String> {
        self.hint()
    }
}

impl Report for image_build::BuildError {
    fn advice(&self) -> Option<String> {
        self.hint()
    }
}

impl Report for image_build::CheckError {
    fn advice(&self) -> Option<String> {
        self.hint()
    }
}

macro_rules! speaks_for_itself {
    ($($error:ty),* $(,)?) => {$(
        impl Report for $error {
            fn advice(&self) -> Option<String> {
                None
            }
        }
    )*};
}

speaks_for_itself!(
    image_build::AddressError,
    image_build::NoContext,
    image_build::UnknownCacheMode,
    image_build::UnknownCompression,
    image_build::UnknownEngine,
    image_build::UnknownNetwork,
    image_build::UnknownProvenance,
);

/// Points at an argument. Terraform shows the line of one at the top only, so the text names one inside another.
pub(crate) fn at(mut problem: Diagnostic, path: Path) -> Diagnostic {
    if path.steps().len() > 1 {
        let separator = if problem.detail.is_empty() { "" } else { "\n" };
        problem.detail = format!("argument: {path}{separator}{}", problem.detail);
    }
    problem.at(path)
}

/// `caused by: …` for each cause, then `hint: …`.
pub(crate) fn details(error: &(dyn Error + 'static), hint: Option<String>) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut lines: Vec<String> = causes.map(|cause| format!("caused by: {cause}")).collect();
    lines.dedup();
    lines.extend(hint.map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

/// A sentence's beginning.
pub(crate) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use ecr_registry::Tag;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot do it")]
    struct Outer(#[source] std::fmt::Error);

    impl Report for Outer {
        fn advice(&self) -> Option<String> {
            Some("do something else".to_owned())
        }
    }

    #[test]
    fn says_what_why_and_what_next() {
        let diagnostic = Outer(std::fmt::Error).report();
        assert_eq!(diagnostic.summary, "Cannot do it");
        let cause = std::fmt::Error.to_string();
        assert_eq!(diagnostic.detail, format!("caused by: {cause}\nhint: do something else"));
        let inside = at(diagnostic, Path::from("build").attribute("context"));
        assert!(inside.detail.starts_with("argument: build.context\ncaused by: "));
        let diagnostic = "a b".parse::<Tag>().unwrap_err().report();
        assert_eq!(diagnostic.summary.split('`').next(), Some("Tag "));
    }
}
