//! Files that answers are compared with. `UPDATE_GOLDEN=1` writes them anew.

use std::fs;
use std::path::Path;

pub(crate) fn is_updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

/// The file holds this text, or does from now on.
pub(crate) fn check(file: &Path, text: &str) {
    if is_updating() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let golden = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(text, golden, "{} differs; run again with UPDATE_GOLDEN=1 if that is right", file.display());
}
