//! A test in a process of its own, whose temporary files go where they can be looked at.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder, for the process that has one.
const FOLDER: &str = "TEST_APART_FOLDER";

/// The folder of the process that this is called in, if it was started by [`run`].
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs this test once more, with this folder for temporary files and these variables.
pub(crate) fn run(test: &str, folder: &Path, variables: &[(&str, &str)]) {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--ignored", "--nocapture"]);
    again.env("TMPDIR", folder).env(FOLDER, folder).envs(variables.iter().copied());
    let output = again.output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
