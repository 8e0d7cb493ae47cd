//! The image of a rootless buildkitd, laid out as BuildKit's own, of programs that are on this machine: in a lab no public
//! image can be had.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use lab::base;
use lab::lab::Lab;
use lab::packages;
use lab::process::{LONG, run};
use lab::tool::{BUILDKIT, ROOTLESSKIT};
use lab::{node, progress, rootfs};
use serde_json::json;

const REPOSITORY: &str = "lab/buildkit";
/// What has to be on this machine.
pub(super) const PACKAGES: [packages::Package; 2] = [("runc", "runc"), ("newuidmap", "uidmap")];
const USER: u64 = 1000;
/// What is the user's, and the folders that lead there.
const FOLDERS: [(&str, u64, u32); 5] = [
    ("tmp", 0, 0o1777),
    ("home/user", USER, 0o755),
    ("home/user/.local/share/buildkit", USER, 0o755),
    ("run/user/1000", USER, 0o700),
    ("run/user/1000/buildkit", USER, 0o700),
];
const FILES: [(&str, &str); 4] = [
    ("etc/passwd", "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n"),
    ("etc/group", "root:x:0:\nuser:x:1000:\n"),
    ("etc/subuid", "user:100000:65536\n"),
    ("etc/subgid", "user:100000:65536\n"),
];
const CHANGES: [&str; 3] = [
    "USER 1000:1000",
    "ENV HOME=/home/user USER=user XDG_RUNTIME_DIR=/run/user/1000 PATH=/usr/bin",
    r#"ENTRYPOINT ["rootlesskit", "buildkitd"]"#,
];
/// Who may write which map, as the bit of a capability: a program that is root by its mode may not, for it is another user
/// than the one whose namespace it is.
const MAY_MAP: [(&str, u32); 2] = [("newuidmap", 7), ("newgidmap", 6)];

/// Puts the image into the lab's ECR, and gives its reference.
pub(super) fn push(lab: &Lab) -> Result<String> {
    let parts = [BUILDKIT.version, ROOTLESSKIT.version, CHANGES[1]].map(str::as_bytes);
    let tag = node::key(&parts);
    let name = format!("{}/{REPOSITORY}:{tag}", lab.ministack());
    if !lab.engine().has_image(&name) {
        let programs = programs(lab)?;
        progress::step(format_args!("make the image {REPOSITORY}:{tag}"), || {
            lab.engine().import(&name, &CHANGES, |out| write(&programs, out))
        })?;
    }
    // Where it is there already, the push says so.
    let _exists = lab.root().ecr("CreateRepository", &json!({ "repositoryName": REPOSITORY }));
    run(lab.engine().docker().args(["push", "--quiet", &name]), LONG)?;
    Ok(format!("{}/{REPOSITORY}:{tag}", base::registry()))
}

/// Each program with its name in the image.
fn programs(lab: &Lab) -> Result<Vec<(&'static str, PathBuf)>> {
    let cache = lab.cache();
    let mut programs = vec![
        ("buildkitd", BUILDKIT.install(cache, "buildkitd")?),
        ("buildctl", BUILDKIT.install(cache, "buildctl")?),
        ("rootlesskit", ROOTLESSKIT.install(cache, "rootlesskit")?),
    ];
    for (name, program) in [("buildkit-runc", "runc"), ("newuidmap", "newuidmap"), ("newgidmap", "newgidmap")]
    {
        programs.push((name, packages::find(program).with_context(|| format!("{program} is missing"))?));
    }
    Ok(programs)
}

fn write(programs: &[(&str, PathBuf)], out: &mut dyn Write) -> Result<()> {
    let mut tar = tar::Builder::new(out);
    let mut libraries = BTreeSet::new();
    for (name, file) in programs {
        if let Some((_, bit)) = MAY_MAP.iter().find(|(program, _)| program == name) {
            tar.append_pax_extensions([("SCHILY.xattr.security.capability", &capability(*bit)[..])])?;
        }
        rootfs::add_program(&mut tar, &format!("usr/bin/{name}"), file)?;
        libraries.extend(needed(file)?);
    }
    for library in libraries {
        rootfs::add_program(&mut tar, library.trim_start_matches('/'), Path::new(&library))?;
    }
    for (path, user, mode) in FOLDERS {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(mode);
        header.set_uid(user);
        header.set_gid(user);
        header.set_size(0);
        tar.append_data(&mut header, format!("{path}/"), std::io::empty())?;
    }
    for (path, content) in FILES {
        rootfs::add(&mut tar, path, 0o644, content.as_bytes())?;
    }
    tar.finish()?;
    Ok(())
}

/// The attribute of a file whose program has this one capability from its start: version 2 of the kernel's form.
fn capability(bit: u32) -> [u8; 20] {
    const VERSION_2_EFFECTIVE: u32 = 0x0200_0001;
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&VERSION_2_EFFECTIVE.to_le_bytes());
    bytes[4..8].copy_from_slice(&(1_u32 << bit).to_le_bytes());
    bytes
}

/// The libraries that a program is linked with, and what loads them; none of a static one.
fn needed(program: &Path) -> Result<Vec<String>> {
    // It fails for a static one, and says nothing on standard output.
    let words = Command::new("ldd").arg(program).output()?.stdout;
    let words = String::from_utf8(words)?;
    Ok(words.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect())
}
