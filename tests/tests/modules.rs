//! The README of each Terraform module names exactly what the module takes and gives, and every input says what it is.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as expected")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The names of blocks of a kind, as in `variable "name" {`, each with its body.
fn blocks(text: &str, kind: &str) -> Vec<(String, String)> {
    let start = format!("{kind} \"");
    text.split("\n}\n")
        .filter_map(|block| block.trim_start().strip_prefix(&start)?.split_once('"'))
        .map(|(name, body)| (name.to_owned(), body.to_owned()))
        .collect()
}

/// The first column of the table whose head starts with this word.
fn rows(readme: &str, head: &str) -> BTreeSet<String> {
    let table = readme.lines().skip_while(|line| !line.starts_with(&format!("| {head} |")));
    table
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect()
}

fn modules() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform");
    let mut modules: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    modules.sort();
    modules
}

#[test]
fn readmes_name_every_input_and_output() {
    for module in modules() {
        let readme = fs::read_to_string(module.join("README.md")).unwrap();
        for (kind, head) in [("variable", "input"), ("output", "output")] {
            let file = format!("{kind}s.tf");
            let text = fs::read_to_string(module.join(&file)).unwrap();
            let declared: BTreeSet<_> = blocks(&text, kind).into_iter().map(|(name, _)| name).collect();
            assert!(!declared.is_empty(), "{}: no {kind} found in {file}", module.display());
            assert_eq!(rows(&readme, head), declared, "{}: {head}s", module.display());
        }
    }
}

#[test]
fn every_input_has_a_description_and_a_type() {
    for module in modules() {
        let text = fs::read_to_string(module.join("variables.tf")).unwrap();
        for (name, body) in blocks(&text, "variable") {
            for part in ["\n  description = ", "\n  type "] {
                assert!(body.contains(part), "{}: `{name}` has no {}", module.display(), part.trim());
            }
        }
    }
}

#[test]
fn every_module_is_tested() {
    for module in modules() {
        let tests = fs::read_dir(module.join("tests")).map_or(0, Iterator::count);
        assert!(tests > 0, "{} has no tests", module.display());
    }
}
