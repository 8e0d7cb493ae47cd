//! What happened, for a test to read: one line for each thing, in the file that `CORNER_JOURNAL` names.

use std::{env, fs::OpenOptions, io::Write as _};

use tfplugin_rs::Diagnostic;

/// Writes a line down, if somebody wants to read it.
pub(crate) fn note(line: &str) -> Result<(), Diagnostic> {
    let Some(file) = env::var_os("CORNER_JOURNAL") else { return Ok(()) };
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
        .map_err(|error| Diagnostic::error("The journal cannot be written", error.to_string()))
}
