//! The lab's container runtime: runc, after dropping from a bundle the capabilities that this machine's root lacks.
//!
//! In a virtual machine or a container root may lack some (`CAP_SYS_RESOURCE` often); then runc refuses every privileged
//! container. dockerd calls this program, under the name [`NAME`], instead of runc; where root holds all it changes nothing.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde_json::Value;

/// The file name under which the program acts as the runtime.
pub const NAME: &str = "bounded-runc";

/// Becomes runc with the same arguments. Returns only when that fails, and says why as runc does.
#[expect(clippy::print_stderr, reason = "containerd reads what a runtime writes there")]
pub fn main(arguments: &[OsString]) -> ExitCode {
    if let Err(error) = exec(arguments) {
        eprintln!("{NAME}: {error:#}");
    }
    ExitCode::FAILURE
}

fn exec(arguments: &[OsString]) -> Result<()> {
    let held = held(&fs::read_to_string("/proc/self/status")?).context("no CapBnd in /proc/self/status")?;
    if let Some(bundle) = option(arguments, &["--bundle", "-b"]) {
        bound(&Path::new(&bundle).join("config.json"), "/process/capabilities", held)?;
    }
    if let Some(process) = option(arguments, &["--process", "-p"]) {
        bound(&PathBuf::from(process), "/capabilities", held)?;
    }
    Err(Command::new("runc").args(arguments).exec()).context("cannot run runc")
}

/// The value of an option, as `--name value` or `--name=value`.
fn option(arguments: &[OsString], names: &[&str]) -> Option<OsString> {
    let texts: Vec<_> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let next = texts.windows(2).find(|pair| names.contains(&pair[0])).map(|pair| pair[1]);
    let joined = || {
        texts.iter().find_map(|text| names.iter().find_map(|name| text.strip_prefix(name)?.strip_prefix('=')))
    };
    next.or_else(joined).map(OsString::from)
}

fn bound(file: &Path, pointer: &str, held: u64) -> Result<()> {
    let Ok(text) = fs::read(file) else { return Ok(()) }; // runc says what is wrong with it
    let mut config: Value = serde_json::from_slice(&text)?;
    if let Some(sets) = config.pointer_mut(pointer).and_then(Value::as_object_mut) {
        for names in sets.values_mut().filter_map(Value::as_array_mut) {
            names.retain(|name| name.as_str().is_none_or(|name| holds(held, name)));
        }
        fs::write(file, serde_json::to_vec(&config)?)?;
    }
    Ok(())
}

/// The bounding set: one bit a capability.
fn held(status: &str) -> Option<u64> {
    let digits = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// Unknown names are left for runc to judge.
fn holds(held: u64, name: &str) -> bool {
    CAPABILITIES.iter().position(|known| *known == name).is_none_or(|bit| held & (1 << bit) != 0)
}

/// By bit number. Source: linux/capability.h.
#[rustfmt::skip]
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_missing_capabilities_go() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        let config = serde_json::json!({"process": {"args": ["sh"], "capabilities": {
            "bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_FUTURE"], "ambient": null}}});
        fs::write(&file, config.to_string()).unwrap();
        let lacking = held("Name:\tx\nCapBnd:\t000001fffeffffff\n").unwrap();
        bound(&file, "/process/capabilities", lacking).unwrap();
        let after: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let process = serde_json::json!({"args": ["sh"], "capabilities": {
            "bounding": ["CAP_CHOWN", "CAP_FUTURE"], "ambient": null}});
        assert_eq!(after["process"], process);
    }

    #[test]
    fn options_are_read_in_both_forms() {
        for (line, expected) in [
            ("--root /run create --bundle /b id", Some("/b")),
            ("create --bundle=/b id", Some("/b")),
            ("create -b /b id", Some("/b")),
            ("delete id", None),
        ] {
            let arguments: Vec<_> = line.split(' ').map(OsString::from).collect();
            assert_eq!(option(&arguments, &["--bundle", "-b"]), expected.map(OsString::from), "{line}");
        }
    }
}
