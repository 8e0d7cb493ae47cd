//! Terraform and OpenTofu themselves, driven from tests.
//!
//! A [`Cli`] is one such program, with what it can do; a [`Workspace`] is a temporary folder with a
//! configuration, its own home and a provider installed by development override or from a mirror. Nothing
//! is installed or downloaded, and nothing of the user's own settings is read. It knows the commands, not
//! the provider.
//!
//! ```no_run
//! use tfplugin_rs::testing::cli::{Cli, Does, Workspace};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! for cli in Cli::all()? {
//!     let workspace = Workspace::new(&cli)?.overriding("example.com/me/text", "target/debug/terraform-provider-text")?;
//!     workspace.write(
//!         "main.tf",
//!         r#"
//!         terraform {
//!           required_providers {
//!             text = { source = "example.com/me/text" }
//!           }
//!         }
//!         resource "text_file" "greeting" {
//!           content = "hello"
//!         }
//!         "#,
//!     )?;
//!     let plan = workspace.plan(&[])?;
//!     assert_eq!(plan.change("text_file.greeting").unwrap().does, Does::Create);
//!     let applied = workspace.apply(&[])?;
//!     assert!(applied.calls.contains("ApplyResourceChange"));
//!     assert!(workspace.plan(&[])?.is_empty());
//!     workspace.destroy(&[])?;
//! }
//! # Ok(())
//! # }
//! ```

mod bugs;
mod feature;
mod install;
mod plan;
mod run;
mod workspace;

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

pub use self::{
    bugs::{assert_no_provider_bug, provider_bugs},
    feature::Feature,
    plan::{Change, Does, Plan},
    run::{CliError, Run, Running},
    workspace::Workspace,
};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flavour {
    /// Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

/// A Terraform or OpenTofu program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cli {
    program: PathBuf,
    flavour: Flavour,
    version: (u32, u32, u32),
}

impl Cli {
    /// All programs named for tests: by the variables `TFPLUGIN_TEST_CLIS` and `LAB_TERRAFORM`, both lists
    /// of paths like `PATH`. Each once, in that order.
    ///
    /// # Errors
    /// [`CliError::Missing`] if none is named, and whatever is wrong with one that is: a test that needs
    /// them must not pass without.
    pub fn all() -> Result<Vec<Self>, CliError> {
        Self::named(["TFPLUGIN_TEST_CLIS", "LAB_TERRAFORM"].map(std::env::var_os).into_iter().flatten())
    }

    fn named(lists: impl Iterator<Item = std::ffi::OsString>) -> Result<Vec<Self>, CliError> {
        let mut programs: Vec<PathBuf> = Vec::new();
        for program in lists.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>()) {
            if !program.as_os_str().is_empty() && !programs.contains(&program) {
                programs.push(program);
            }
        }
        if programs.is_empty() {
            Err(CliError::Missing)
        } else {
            programs.into_iter().map(Self::at).collect()
        }
    }

    /// The program at a path, asked for its version.
    ///
    /// # Errors
    /// If it cannot be run, or is something else.
    pub fn at(program: impl Into<PathBuf>) -> Result<Self, CliError> {
        let program = program.into();
        let output = command(&program).arg("version").output();
        let output = output.map_err(|source| CliError::Start { command: show(&program), source })?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match read_version(&text) {
            Some((flavour, version)) => Ok(Self { program, flavour, version }),
            None => Err(CliError::Stranger { program: show(&program), said: text }),
        }
    }

    /// Which of the two it is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Its version; what comes behind a hyphen is left out.
    pub fn version(&self) -> (u32, u32, u32) {
        self.version
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Whether it can do something.
    pub fn has(&self, feature: Feature) -> bool {
        let (major, minor, _) = self.version;
        feature.since(self.flavour).is_some_and(|since| (major, minor) >= since)
    }
}

/// The command without the settings of the machine, such as further arguments or a cache.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("TF_")) {
        command.env_remove(name);
    }
    command.env("CHECKPOINT_DISABLE", "1");
    command
}

/// From the line `Terraform v1.11.4` or `OpenTofu v1.12.6`.
fn read_version(text: &str) -> Option<(Flavour, (u32, u32, u32))> {
    let flavours = [("Terraform v", Flavour::Terraform), ("OpenTofu v", Flavour::OpenTofu)];
    let (flavour, version) = text.lines().find_map(|line| {
        flavours.iter().find_map(|(name, flavour)| Some((*flavour, line.strip_prefix(name)?)))
    })?;
    let release = version.split(['-', '+']).next()?;
    let mut numbers = release.trim().splitn(3, '.').map(str::parse);
    Some((flavour, (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?)))
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

/// `Terraform 1.11.4`
impl fmt::Display for Cli {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(out, "{:?} {major}.{minor}.{patch}", self.flavour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_programs_by_what_they_say() {
        for (text, expected) in [
            ("Terraform v1.11.4\non linux_amd64\n", Some((Flavour::Terraform, (1, 11, 4)))),
            ("\nWarning: something\n\nTerraform v1.17.0-dev\n", Some((Flavour::Terraform, (1, 17, 0)))),
            ("OpenTofu v1.12.6", Some((Flavour::OpenTofu, (1, 12, 6)))),
            ("Terragrunt v1.0.0", None),
            ("Terraform vOne", None),
            ("", None),
        ] {
            assert_eq!(read_version(text), expected, "{text}");
        }
    }

    #[test]
    fn none_is_an_error() {
        let error = Cli::named([].into_iter()).unwrap_err().to_string();
        assert!(error.contains("TFPLUGIN_TEST_CLIS"), "{error}");
        let error = Cli::named(["/nowhere/at/all".into()].into_iter()).unwrap_err().to_string();
        assert_eq!(error, "cannot run `/nowhere/at/all`");
    }

    #[test]
    fn features_come_with_versions() {
        let cli = |flavour, minor| Cli { program: PathBuf::new(), flavour, version: (1, minor, 0) };
        let count =
            |flavour, minor| Feature::ALL.into_iter().filter(|one| cli(flavour, minor).has(*one)).count();
        assert_eq!([7, 8, 11, 12, 14, 16].map(|minor| count(Flavour::Terraform, minor)), [0, 2, 4, 5, 8, 10]);
        assert_eq!([6, 7, 10, 11, 12, 13].map(|minor| count(Flavour::OpenTofu, minor)), [0, 1, 2, 4, 5, 5]);
    }
}
