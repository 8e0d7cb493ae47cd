//! What a dockerd leaves running when it is killed, found by names that only the lab uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::process::poll_until;

const GRACE: Duration = Duration::from_secs(20);

/// Ends every process that has a path below the folder among its arguments: dockerd, containerd and its shims.
pub(super) fn end_processes_of(folder: &Path) -> Result<()> {
    end("the processes of dockerd", || pids().filter(|pid| names(*pid, folder)).collect())
}

fn pids() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

fn names(pid: Pid, folder: &Path) -> bool {
    let arguments = fs::read(format!("/proc/{}/cmdline", pid.as_raw_pid())).unwrap_or_default();
    let mut arguments = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let program = arguments.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    ["dockerd", "containerd"].iter().any(|known| program.starts_with(known))
        && arguments.any(|argument| Path::new(&*argument).starts_with(folder))
}

/// Ends every process of the control group and removes it, in each hierarchy of either version.
pub(super) fn end_group(name: &str) -> Result<()> {
    let mut groups = Vec::new();
    for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        collect_folders(&hierarchy.path().join(name), &mut groups);
    }
    collect_folders(&Path::new("/sys/fs/cgroup").join(name), &mut groups);
    end("the containers of dockerd", || groups.iter().flat_map(|group| members(group)).collect())?;
    // Deepest first; a group is a folder that only rmdir can remove.
    for group in groups.iter().rev() {
        fs::remove_dir(group).with_context(|| format!("cannot remove `{}`", group.display()))?;
    }
    Ok(())
}

fn end(what: &str, find: impl Fn() -> Vec<Pid>) -> Result<()> {
    poll_until(&format!("{what} end"), GRACE, || {
        let left = find();
        for pid in &left {
            let _may_have_ended = kill_process(*pid, Signal::KILL);
        }
        Ok(left.is_empty().then_some(()))
    })
}

fn collect_folders(folder: &Path, into: &mut Vec<PathBuf>) {
    if !folder.is_dir() {
        return;
    }
    into.push(folder.to_owned());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_folders(&entry.path(), into);
        }
    }
}

fn members(group: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}
