//! Our two programs, built for a test, the demo or a measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cache::Cache;
use crate::progress;

/// The Terraform provider and the Helm plugin of this checkout.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `terraform-provider-ecr`.
    pub provider: PathBuf,
    /// `eks-deploy`.
    pub plugin: PathBuf,
}

/// How they are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to compile; what tests use.
    Dev,
    /// What users run; what is measured.
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

impl Programs {
    /// Compiles what changed.
    pub fn build(cache: &Cache, profile: Profile) -> Result<Self> {
        let mut command = cargo(cache);
        // All of the workspace: with fewer packages the libraries get other features, and compile anew.
        command.args(["build", "--quiet", "--locked", "--workspace", "--bins"]);
        if profile == Profile::Release {
            command.arg("--release");
        }
        progress::step("compile the provider and the plugin", || {
            let status = command.status().context("cannot run cargo")?;
            ensure!(status.success(), "the provider and the plugin do not compile");
            Ok(())
        })?;
        Self::below(&target(cache).join(profile.folder()))
    }

    /// Those that stand beside the running test, which `cargo xtask test` compiled before it.
    pub fn built() -> Result<Self> {
        let test = std::env::current_exe()?;
        let folder = test.parent().and_then(Path::parent).context("a test lies two folders deep")?;
        Self::below(folder)
    }

    fn below(folder: &Path) -> Result<Self> {
        let file = |name: &str| {
            let file = folder.join(name);
            ensure!(file.is_file(), "`{}` is not there: run `cargo build --workspace`", file.display());
            Ok(file)
        };
        Ok(Self { provider: file("terraform-provider-ecr")?, plugin: file("eks-deploy")? })
    }
}

/// A program that lies beside a crate's tests, as an example of cargo's, compiled as users would.
pub fn example(cache: &Cache, package: &str, name: &str) -> Result<PathBuf> {
    let mut command = cargo(cache);
    command.args(["build", "--quiet", "--locked", "--release", "--package", package, "--example", name]);
    progress::step(format_args!("compile {name}"), || {
        ensure!(command.status().context("cannot run cargo")?.success(), "{name} does not compile");
        Ok(())
    })?;
    Ok(target(cache).join("release/examples").join(name))
}

/// The cargo that runs us, in this checkout, with a target folder that outlives the checkout.
///
/// A clean clone then compiles only what changed. `CARGO_TARGET_DIR` names another folder, as for any cargo.
pub fn cargo(cache: &Cache) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(checkout()).env("CARGO_TARGET_DIR", target(cache));
    // What an incremental build keeps is of use in the same checkout only, and is as large as all the rest.
    command.env("CARGO_INCREMENTAL", "0");
    command
}

/// The root of this checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

fn target(cache: &Cache) -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named.map_or_else(|| cache.join("target"), |folder| checkout().join(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("terraform-provider-ecr"), "").unwrap();
        let error = Programs::below(folder.path()).unwrap_err().to_string();
        assert!(error.contains("eks-deploy` is not there"), "{error}");
        std::fs::write(folder.path().join("eks-deploy"), "").unwrap();
        assert!(Programs::below(folder.path()).is_ok());
    }
}
