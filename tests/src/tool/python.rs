//! Programs written in Python, or packed as wheels: each in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cache::Cache;
use crate::packages;
use crate::process::{LONG, run};

/// A virtual environment with pinned requirements.
#[derive(Debug)]
pub struct Venv {
    /// Its name in the cache.
    pub name: &'static str,
    /// The version of its main program.
    pub version: &'static str,
    /// What pip installs.
    pub requirements: &'static [&'static str],
}

impl Venv {
    /// Where the program is once it is installed.
    pub fn path(&self, cache: &Cache, program: &str) -> PathBuf {
        self.folder(cache).join("bin").join(program)
    }

    /// Installs it unless that was done before.
    pub fn install(&self, cache: &Cache, program: &str) -> Result<PathBuf> {
        let folder = self.folder(cache);
        cache.install(&format!("{} {} (from PyPI)", self.name, self.version), &folder, |part| {
            self.fill(part, &folder)
        })?;
        let file = self.path(cache, program);
        ensure!(file.is_file(), "`{}` is missing; remove its folder and try again", file.display());
        Ok(file)
    }

    fn folder(&self, cache: &Cache) -> PathBuf {
        cache.tool(self.name, self.version)
    }

    fn fill(&self, part: &Path, folder: &Path) -> Result<()> {
        let python =
            packages::find("python3").context("python3 is missing (Debian: python3 python3-venv)")?;
        run(Command::new(python).args(["-m", "venv"]).arg(part), LONG)?;
        let mut pip = Command::new(part.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(self.requirements);
        run(&mut pip, LONG)?;
        relocate(part, folder)
    }
}

/// Scripts name their interpreter by its full path, which is the temporary one until now.
fn relocate(part: &Path, folder: &Path) -> Result<()> {
    let (old, new) = (part.to_str().context("UTF-8 path")?, folder.to_str().context("UTF-8 path")?);
    for entry in std::fs::read_dir(part.join("bin"))? {
        let file = entry?.path();
        if file.is_symlink() {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        if text.contains(old) {
            std::fs::write(&file, text.replace(old, new))?;
        }
    }
    Ok(())
}
