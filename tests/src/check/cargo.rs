//! The steps that cargo does: format, lints, dependencies, unit tests, docs.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::World;
use super::report::{Row, is_result};
use crate::cache::Cache;
use crate::process::{LONG, run};
use crate::programs::{cargo, checkout};

const CARGO_DENY: &str = "0.20.2";

pub(super) fn format(world: &World<'_>) -> Result<()> {
    pass(cargo(&world.cache).args(["fmt", "--all", "--check"]))
}

pub(super) fn lints(world: &World<'_>) -> Result<()> {
    let arguments =
        ["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "--deny=warnings"];
    pass(cargo(&world.cache).args(arguments))
}

pub(super) fn dependencies(world: &World<'_>) -> Result<()> {
    let mut command = Command::new(cargo_deny(&world.cache)?);
    command.args(["--all-features", "--locked", "check", "licenses", "bans", "sources"]);
    pass(command.current_dir(checkout()))
}

pub(super) fn units(world: &World<'_>, row: &mut Row) -> Result<()> {
    test(cargo(&world.cache).args(["test", "--workspace", "--locked", "--no-fail-fast"]), row)
}

pub(super) fn docs(world: &World<'_>) -> Result<()> {
    let mut command = cargo(&world.cache);
    command.args(["doc", "--quiet", "--workspace", "--no-deps", "--locked"]);
    pass(command.env("RUSTDOCFLAGS", "--deny=warnings"))
}

/// Runs `cargo test`, shows its output as it comes, and keeps its summaries for the end.
pub(super) fn test(command: &mut Command, row: &mut Row) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let mut output = BufReader::new(child.stdout.take().context("stdout is piped")?);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        let text = String::from_utf8_lossy(&line);
        if is_result(text.trim_end()) {
            row.results.push(text.trim_end().to_owned());
        }
        line.clear();
    }
    let status = child.wait()?;
    ensure!(status.success(), "tests failed");
    Ok(())
}

/// Runs a command whose output is for the reader.
pub(super) fn pass(command: &mut Command) -> Result<()> {
    let status =
        command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    ensure!(status.success(), "see above ({status})");
    Ok(())
}

/// cargo-deny, compiled once for each version.
fn cargo_deny(cache: &Cache) -> Result<PathBuf> {
    let folder = cache.tool("cargo-deny", CARGO_DENY);
    cache.install(&format!("cargo-deny {CARGO_DENY} (from source)"), &folder, |part| {
        let compiled = tempfile::tempdir()?;
        let mut install = cargo(cache);
        install.args([
            "install",
            "--quiet",
            "--locked",
            "--no-track",
            "--debug",
            "cargo-deny",
            "--version",
            CARGO_DENY,
        ]);
        install.arg("--root").arg(part).env("CARGO_TARGET_DIR", compiled.path());
        run(&mut install, LONG).map(drop)
    })?;
    Ok(folder.join("bin/cargo-deny"))
}
