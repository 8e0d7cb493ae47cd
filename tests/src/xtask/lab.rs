//! `cargo xtask lab`: starts, ends and shows the real parts.

use std::fs;
use std::io::Write;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};

use crate::cache::Cache;
use crate::docker::Engine;
use crate::lab::start;
use crate::packages::Consent;
use crate::process::Service;
use crate::progress;
use crate::state::State;
use crate::tool::Tool;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Start the parts, or find them running: Docker, AWS's stand-in, the ECR front
    Up(Up),
    /// End every part that the lab started; what was built is kept
    Down,
    /// Show what runs, and what it takes
    Status,
    /// Install programs that tests run beside ours; all of them when none is named
    Tools(Tools),
}

#[derive(Debug, Args)]
pub(super) struct Up {
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Tools {
    /// Which ones
    #[arg(value_enum)]
    names: Vec<Tool>,
}

pub(super) fn run(verb: &Verb) -> Result<()> {
    let cache = Cache::from_env()?;
    match verb {
        Verb::Up(arguments) => up(&cache, arguments),
        Verb::Down => start::down(&cache),
        Verb::Status => status(&cache),
        Verb::Tools(arguments) => tools(&cache, arguments),
    }
}

fn up(cache: &Cache, arguments: &Up) -> Result<()> {
    let lab = start::up(cache, Consent::from_flag(arguments.yes))?;
    progress::say(format_args!(
        "up: AWS http://{}, ECR http://{}, Docker {}",
        lab.ministack(),
        lab.front(),
        lab.engine().host
    ));
    Ok(())
}

fn status(cache: &Cache) -> Result<()> {
    let State { engine, ministack, front, .. } = State::load(cache)?;
    let mut rows = Vec::new();
    if let Some(engine) = &engine {
        rows.push(("Docker", line(&engine.host, engine.own.as_ref())));
    }
    if let Some(part) = &ministack {
        rows.push(("AWS", line(&format!("http://{}", part.address), Some(part.service()))));
    }
    if let Some(part) = &front {
        rows.push(("ECR front", line(&format!("http://{}", part.address), Some(&part.service))));
    }
    if let Some(engine) = engine.filter(Engine::is_up) {
        let words = ["ps", "--filter", "label=ministack=eks", "--format", "{{.Names}}  {{.Status}}"];
        rows.extend(engine.ask(&words)?.lines().map(|node| ("cluster", node.to_owned())));
    }
    if rows.is_empty() {
        rows.push(("lab", "not running".to_owned()));
    }
    for tool in Tool::ALL {
        let path = tool.installed(cache).map(|path| path.display().to_string());
        rows.push((tool.name(), path.unwrap_or_else(|| "not installed".to_owned())));
    }
    let mut out = std::io::stdout().lock();
    rows.iter().try_for_each(|(name, what)| writeln!(out, "{name:22} {what}"))?;
    Ok(())
}

fn line(address: &str, service: Option<&Service>) -> String {
    let Some(service) = service else { return format!("{address}  not ours") };
    let state = if service.is_alive() { format!("{} MB", memory(service.pid)) } else { "died".to_owned() };
    format!("{address}  pid {}, {state}, log {}", service.pid, service.log.display())
}

/// Resident memory in MB.
fn memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// Installs each, and tells all that failed at the end: one that cannot be had must not keep the others away.
fn tools(cache: &Cache, arguments: &Tools) -> Result<()> {
    let names = if arguments.names.is_empty() { &Tool::ALL[..] } else { &arguments.names };
    let mut failures = Vec::new();
    for tool in names {
        match tool.install(cache) {
            Ok(path) => progress::say(path.display()),
            Err(error) => failures.push(format!("{}: {error:#}", tool.name())),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
