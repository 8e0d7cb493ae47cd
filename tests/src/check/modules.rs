//! The Terraform modules and examples: their format, their READMEs' tables, whether both CLIs take them, and the modules' own
//! tests, which need hashicorp/aws but no account. What is applied is tested end to end.

mod readme;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, ensure};

use super::report::Row;
use super::{World, or_skip};
use crate::configuration;
use crate::programs::{Profile, Programs, checkout};
use crate::progress;
use crate::providers;
use crate::tool::Tool;

pub(super) fn run(world: &World<'_>, row: &mut Row) -> Result<()> {
    for module in modules(&checkout().join("terraform"))? {
        readme::check(&module)?;
    }
    providers::install(&world.cache, &Programs::build(&world.cache, Profile::Dev)?.provider)?;
    providers::install_others(&world.cache)?;
    let config = providers::write_cli_config(&world.cache)?;
    let copies = tempfile::tempdir()?; // `init` writes beside the files
    let mut work = Vec::new();
    for tool in [Tool::Terraform, Tool::OpenTofu] {
        let Some(program) = or_skip(row, tool.install(&world.cache))? else { continue };
        let cli = Cli { name: tool.name(), program, config: config.clone() };
        for part in configuration::ALL {
            cli.run(&checkout(), &["fmt", "-check", "-diff", "-recursive", part])?;
        }
        work.extend(cli.work(&copies.path().join(cli.name))?);
    }
    let failed = all(work);
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// One configuration under one CLI.
struct Work {
    cli: Cli,
    folder: PathBuf,
    /// `test` for a module that has tests, else `validate`.
    verb: &'static str,
}

#[derive(Debug, Clone)]
struct Cli {
    name: &'static str,
    program: PathBuf,
    config: PathBuf,
}

impl Cli {
    /// A copy of everything, and what is to be done in it.
    fn work(&self, root: &Path) -> Result<Vec<Work>> {
        let mut found = Vec::new();
        configuration::copy(&configuration::ALL, root)?;
        for part in configuration::ALL {
            found.extend(configurations(&root.join(part))?);
        }
        let work = |folder: PathBuf| {
            let verb = if folder.join("tests").is_dir() { "test" } else { "validate" };
            Work { cli: self.clone(), folder, verb }
        };
        Ok(found.into_iter().map(work).collect())
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.current_dir(folder).args(arguments).env("TF_CLI_CONFIG_FILE", &self.config);
        command
            .env("AWS_REGION", "us-east-1")
            .env("CHECKPOINT_DISABLE", "true")
            .env("TF_IN_AUTOMATION", "true");
        let output = command.output().with_context(|| format!("cannot run {}", self.name))?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(
            output.status.success(),
            "{} {} failed in `{}`\n{}{}",
            self.name,
            arguments[0],
            folder.display(),
            said(&output.stdout),
            said(&output.stderr)
        );
        Ok(())
    }
}

impl Work {
    fn run(&self) -> Result<()> {
        self.cli.run(&self.folder, &["init", "-backend=false", "-input=false", "-no-color"])?;
        self.cli.run(&self.folder, &[self.verb, "-no-color"])
    }
}

/// Does the work, as much at a time as there are processors; gives what failed.
fn all(mut work: Vec<Work>) -> Vec<String> {
    // The longest first, so that none is left over at the end.
    work.sort_by_key(|work| (work.verb == "test", work.folder.components().count()));
    let (left, failed) = (Mutex::new(work), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
    let worker = || {
        while let Some(work) = next() {
            if let Err(error) = work.run() {
                progress::say(format_args!("{error:#}"));
                let line = format!("{} {} in `{}`", work.cli.name, work.verb, work.folder.display());
                failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The modules' folders, in the order of their names.
fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut modules = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    modules.sort();
    Ok(modules)
}

/// The folders below that say which providers they need: a snippet of the documentation does not.
fn configurations(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut is_whole = false;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(configurations(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            is_whole |= fs::read_to_string(&path)?.contains("required_providers");
        }
    }
    found.extend(is_whole.then(|| folder.to_owned()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_described_and_tested() {
        for module in modules(&checkout().join("terraform")).unwrap() {
            readme::check(&module).unwrap();
            let tests = fs::read_dir(module.join("tests")).map_or(0, Iterator::count);
            assert!(tests > 0, "{} has no tests", module.display());
        }
    }

    #[test]
    fn snippets_are_no_configurations() {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in
            [("a/main.tf", "terraform { required_providers {} }"), ("b/x.tf", "resource {}"), ("c/d", "")]
        {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(configurations(root.path()).unwrap(), [root.path().join("a")]);
    }
}
