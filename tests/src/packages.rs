//! System packages: looked for by program, installed by apt-get, and only when the user agreed.

use std::io::{BufRead, IsTerminal, stdin};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::{LONG, run};
use crate::progress;

/// Whether system packages may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `--yes`, or `CI=true`.
    Given,
    /// Ask on the terminal; where there is none the answer is no.
    Ask,
}

impl Consent {
    /// What a flag `--yes` and the environment variable `CI` say.
    pub fn from_flag(yes: bool) -> Self {
        let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        if yes || ci { Self::Given } else { Self::Ask }
    }
}

/// A program and the Debian package that brings it.
pub type Package = (&'static str, &'static str);

/// What a Docker of our own needs.
pub const DOCKER: &[Package] = &[("dockerd", "docker.io"), ("docker", "docker.io"), ("ip", "iproute2")];
/// What the root file system of the node needs.
pub const ROOTFS: &[Package] = &[("debootstrap", "debootstrap")];

/// Makes sure that the programs are there.
pub fn need(packages: &[Package], consent: Consent) -> Result<()> {
    let mut missing: Vec<_> =
        packages.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    ensure!(find("apt-get").is_some(), "missing system packages (Debian's names): {names}");
    ensure!(rustix::process::geteuid().is_root(), "run as root: apt-get install {names}");
    ensure!(agreed(consent, &names)?, "run this first, or pass --yes: apt-get install {names}");
    install(&missing)
}

/// Finds a program on PATH, and where system programs are when PATH lacks it.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[expect(clippy::print_stderr, reason = "a question to the person at the terminal")]
fn agreed(consent: Consent, names: &str) -> Result<bool> {
    if consent == Consent::Given || !stdin().is_terminal() {
        return Ok(consent == Consent::Given);
    }
    eprint!("lab: install the system packages {names} by apt-get? [y/N] ");
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn install(packages: &[&str]) -> Result<()> {
    progress::step(format_args!("install system packages {}", packages.join(" ")), || {
        run(apt().arg("update"), LONG)?;
        // Services that a package starts by itself would stand beside the lab's own.
        run(
            apt().args(["install", "--yes", "--no-install-recommends"]).args(packages).env("RUNLEVEL", "1"),
            LONG,
        )?;
        Ok(())
    })
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_packages_named() {
        assert!(find("sh").is_some());
        assert!(need(&[("sh", "dash")], Consent::Ask).is_ok());
        let error =
            need(&[("sh", "dash"), ("no-such-program", "no-such-package")], Consent::Ask).unwrap_err();
        assert!(error.to_string().ends_with("no-such-package"), "{error}");
    }
}
