//! Whether anything has to be built, asked of a large folder.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::course::Course;
use crate::bench::contest::{self, Entrant, Finished, OURS, Taken, measured};
use crate::cache;
use crate::tool::{OPENTOFU, Tool, WALK_AND_HASH};

/// Ours, that saw the files before.
pub(super) const WARM: &str = "ours-warm";
/// What a machine cannot do without: every file read and hashed, on all processors.
pub(super) const WALK: &str = "walk-and-hash";
/// A hash of all files in a configuration.
pub(super) const FILESET: &str = "fileset";

pub(super) fn compete(course: &Course, without: &[String], rounds: usize) -> Result<Vec<Finished>> {
    let folder = tempfile::tempdir_in(&course.folder)?;
    let (content, caches) = (course.many_files()?, folder.path().join("caches"));
    let ours = course.ours()?;
    let plan = || {
        let mut command = Command::new(ours);
        command.arg("--plan").arg(format!("{}=localhost/shop/web", content.display()));
        command.env_remove("DOCKER_HOST").env("HOME", folder.path());
        command
    };
    let version = env!("CARGO_PKG_VERSION");
    let entrant = |name, version: &str, is_cold: bool, command: Command, said: &'static str| {
        let (folder, caches) = (folder.path(), caches.join(name));
        let run = move |_| {
            if is_cold {
                cache::remove(&caches)?;
            }
            let usage = measured(&command, folder, None, |output| output.contains(said))?;
            Ok(Taken { usage, ..Taken::default() })
        };
        Entrant { name, version: version.to_owned(), run: Box::new(run) }
    };
    let caching = |name: &str| {
        let mut plan = plan();
        plan.env("XDG_CACHE_HOME", caches.join(name));
        plan
    };
    let mut entrants = vec![
        entrant(OURS, version, true, caching(OURS), " 1:"),
        entrant(WARM, version, false, caching(WARM), " 1:"),
    ];
    let is_in = |name: &str| !without.iter().any(|left_out| left_out == name);
    let missing = |name: &str| format!("no {name}: get it, or leave it out with `--without {name}`");
    if is_in(WALK) {
        let program = WALK_AND_HASH.install(&course.cache, WALK).with_context(|| missing(WALK))?;
        let mut walk = Command::new(program);
        walk.arg(content);
        entrants.push(entrant(WALK, "", false, walk, " files"));
    }
    if is_in(FILESET) {
        let tofu = Tool::OpenTofu.install(&course.cache).with_context(|| missing(FILESET))?;
        let text = format!(
            "locals {{\n  folder = {:?}\n}}\noutput \"hash\" {{\n  value = {HASH}\n}}\n",
            content.display().to_string()
        );
        fs::write(folder.path().join("main.tf"), text)?;
        let mut plan = Command::new(tofu);
        plan.arg(format!("-chdir={}", folder.path().display())).args(["plan", "-input=false", "-no-color"]);
        plan.env("CHECKPOINT_DISABLE", "1").env_remove("TF_CLI_CONFIG_FILE");
        entrants.push(entrant(FILESET, &format!("OpenTofu {}", OPENTOFU.version), false, plan, "+ hash = "));
    }
    contest::compete(entrants, rounds)
}

const HASH: &str =
    "sha1(join(\"\", [for f in fileset(local.folder, \"**\") : filesha1(\"${local.folder}/${f}\")]))";
