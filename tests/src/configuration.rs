//! Copies of what the checkout has in HCL, to be applied there: the checkout itself stays clean.
//!
//! What Terraform writes beside a configuration is neither taken along nor removed: a copy can be brought up to date
//! between two runs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{cache, programs};

/// All of it, below the root of the checkout and of the copy alike: modules, and the examples that name them by `../`.
pub const ALL: [&str; 2] = ["terraform", "examples"];

/// Brings a copy of these parts below `root` up to date.
pub fn copy(parts: &[&str], root: &Path) -> Result<()> {
    let checkout = programs::checkout();
    parts.iter().try_for_each(|part| mirror(&checkout.join(part), &root.join(part)))
}

/// Makes `to` equal to `from`, but for what Terraform writes beside a configuration.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create `{}`", to.display()))?;
    for name in names(to)? {
        if !is_kept(&name) && !from.join(&name).exists() {
            cache::remove(&to.join(&name))?;
        }
    }
    for name in names(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() && !is_kept(&name) {
            mirror(&source, &target)?;
        } else if !is_kept(&name) && name != LOCK_FILE {
            fs::copy(&source, &target).with_context(|| format!("cannot copy `{}`", source.display()))?;
        }
    }
    Ok(())
}

/// Names the checksum of a provider that was built here, and is wrong after the next build.
const LOCK_FILE: &str = ".terraform.lock.hcl";

/// Whether Terraform needs the entry again in the next run.
fn is_kept(name: &str) -> bool {
    name == ".terraform" || name.starts_with("terraform.tfstate")
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
    }

    fn list(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for name in names(root).unwrap() {
            let path = root.join(&name);
            if path.is_dir() {
                found.extend(list(&path).into_iter().map(|below| format!("{name}/{below}")));
            } else {
                found.push(name);
            }
        }
        found.sort();
        found
    }

    #[test]
    fn edits_and_removals_arrive_and_the_state_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        write(&from, &["main.tf", "app/main.go", "app/old.go"]);
        mirror(&from, &to).unwrap();
        write(&to, &["terraform.tfstate", ".terraform/modules", LOCK_FILE]);
        fs::remove_file(from.join("app/old.go")).unwrap();
        fs::write(from.join("main.tf"), "edited").unwrap();
        mirror(&from, &to).unwrap();
        assert_eq!(list(&to), [".terraform/modules", "app/main.go", "main.tf", "terraform.tfstate"]);
        assert_eq!(fs::read_to_string(to.join("main.tf")).unwrap(), "edited");
    }

    #[test]
    fn what_a_user_left_in_the_checkout_is_not_taken_along() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        write(&from, &["main.tf", ".terraform/modules", "terraform.tfstate.backup", LOCK_FILE]);
        mirror(&from, &to).unwrap();
        assert_eq!(list(&to), ["main.tf"]);
    }
}
