//! End-to-end tests that a machine cannot run for want of a program: skipped there, counted and named at the end.

use std::env::VarError;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::Result;

/// The file into which tests write what they skipped.
pub(super) const FILE: &str = "EKS_DEPLOY_LAB_SKIPPED";

/// The part that a test needs, or `None` after noting that the test was skipped.
///
/// ```no_run
/// # fn test(lab: &lab::lab::Lab) {
/// use lab::{check::skip, tool::Tool};
/// let Some(terraform) = skip::unless(lab.tool(Tool::Terraform)) else { return };
/// # }
/// ```
///
/// # Panics
/// Where `CI=true`: there every test has to run.
pub fn unless<T>(part: Result<T>) -> Option<T> {
    match part {
        Ok(part) => Some(part),
        Err(error) if is_forbidden() => panic!("CI=true leaves nothing out: {error:#}"),
        Err(error) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            note(std::env::var(FILE), &format!("{test}: {error:#}"));
            None
        }
    }
}

/// Whether everything has to run.
pub(super) fn is_forbidden() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Outside `cargo xtask test` nobody reads it, and a note that cannot be written must not fail the test.
fn note(file: Result<String, VarError>, sentence: &str) {
    let file = file.ok().and_then(|file| OpenOptions::new().append(true).create(true).open(file).ok());
    if let Some(mut file) = file {
        let _unwritten = file.write_all(format!("{}\n", sentence.replace('\n', " ")).as_bytes());
    }
}

/// What the tests skipped.
pub(super) fn noted(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut sentences: Vec<_> = text.lines().map(str::to_owned).collect();
    sentences.sort();
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skipped");
        assert!(noted(&file).is_empty());
        note(Ok(file.display().to_string()), "plans: terraform is\nnot on PATH");
        note(Ok(file.display().to_string()), "applies: no tofu");
        note(Err(VarError::NotPresent), "unheard");
        assert_eq!(noted(&file), ["applies: no tofu", "plans: terraform is not on PATH"]);
    }
}
