//! Terraform and its AWS provider: found on the machine, never installed. And which of the two CLIs a test applies with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Tool;
use crate::packages;

const AWS_PROVIDER: &str = "registry.terraform.io/hashicorp/aws";
/// How far below a root folder a mirror is looked for.
const DEPTH: usize = 4;

/// Set by `cargo xtask test --matrix`.
pub(crate) const MATRIX: &str = "EKS_DEPLOY_TEST_MATRIX";

/// The CLIs that apply a configuration in a test: this one; in a matrix both.
pub fn clis(default: Tool) -> Vec<Tool> {
    if std::env::var_os(MATRIX).is_some() { vec![Tool::OpenTofu, Tool::Terraform] } else { vec![default] }
}

/// `terraform` on PATH.
pub fn find() -> Option<PathBuf> {
    packages::find("terraform")
}

/// `terraform` on PATH, or the sentence to print.
pub fn require() -> Result<PathBuf> {
    find().context("terraform is not on PATH: install 1.11 or newer from https://developer.hashicorp.com/terraform/install")
}

/// A folder that mirrors hashicorp/aws: `$LAB_TF_MIRROR`, else one a few levels below /opt, /usr or the home folder.
///
/// Without one `init` downloads the provider, as it does for every user.
pub fn mirror() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LAB_TF_MIRROR").filter(|value| !value.is_empty()) {
        return Some(named.into());
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    ["/opt", "/usr"].map(PathBuf::from).into_iter().chain(home).find_map(|root| mirror_below(&root, DEPTH))
}

fn mirror_below(folder: &Path, depth: usize) -> Option<PathBuf> {
    if folder.join(AWS_PROVIDER).is_dir() {
        return Some(folder.to_owned());
    }
    let mut folders: Vec<_> = fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders.iter().find_map(|folder| mirror_below(folder, depth - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_found_a_few_levels_down() {
        let root = tempfile::tempdir().unwrap();
        let mirror = root.path().join("share/terraform/plugins");
        assert_eq!(mirror_below(root.path(), DEPTH), None);
        fs::create_dir_all(mirror.join(AWS_PROVIDER)).unwrap();
        assert_eq!(mirror_below(root.path(), DEPTH), Some(mirror));
        assert_eq!(mirror_below(root.path(), 2), None);
    }
}
