//! A small Debian as a tar: the ground of the node's image and of virtual machines, and the source of a static busybox.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cache::{Cache, remove};
use crate::mounts::unmount_below;
use crate::packages::{self, Consent, find};
use crate::process::{LONG, run};

const RELEASE: &str = "bookworm";
/// What a node needs beside Kubernetes itself, and busybox for the base images.
pub const PACKAGES: &str = "busybox-static,ca-certificates,conntrack,containerd,containernetworking-plugins,etcd-server,\
ethtool,iproute2,iptables,kmod,mount,openssl,procps,runc,socat";
/// Of no use in an image.
const LEFT_OUT: [&str; 6] = [
    "./dev/*",
    "./proc/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
];

/// The node's, made unless it is there.
pub fn install(cache: &Cache, consent: Consent) -> Result<PathBuf> {
    install_with(cache, consent, PACKAGES, &[])
}

/// One with these packages, made unless it is there. `later` are those that debootstrap cannot configure.
pub fn install_with(cache: &Cache, consent: Consent, packages: &str, later: &[&str]) -> Result<PathBuf> {
    let parts: Vec<_> = std::iter::once(packages).chain(later.iter().copied()).map(str::as_bytes).collect();
    let target = cache.join(format!("rootfs-{RELEASE}-{}.tar", crate::node::key(&parts)));
    if !target.exists() {
        packages::need(packages::ROOTFS, consent)?;
        ensure!(rustix::process::geteuid().is_root(), "debootstrap needs root: run as root");
    }
    let make = |part: &Path| make(part, packages, later);
    cache.install("a Debian root file system (debootstrap)", &target, make)?;
    Ok(target)
}

fn make(part: &Path, packages: &str, later: &[&str]) -> Result<()> {
    let root = part.with_extension("root");
    unmount_below(&root)?; // a run that was killed leaves /proc of this machine in there
    remove(&root)?;
    let mut debootstrap = Command::new(find("debootstrap").context("debootstrap is missing")?);
    debootstrap.args(["--variant=minbase", &format!("--include={packages}"), RELEASE]).arg(&root);
    run(&mut debootstrap, LONG)?;
    if !later.is_empty() {
        let mut install = Command::new(find("chroot").context("chroot is missing")?);
        install.arg(&root).args(["apt-get", "install", "--yes", "--no-install-recommends"]).args(later);
        run(install.env("DEBIAN_FRONTEND", "noninteractive"), LONG)?;
    }
    let mut tar = Command::new("tar");
    tar.args(LEFT_OUT.map(|path| format!("--exclude={path}")))
        .arg("-cf")
        .arg(part)
        .arg("-C")
        .arg(&root)
        .arg(".");
    run(&mut tar, LONG)?;
    remove(&root)
}

/// Copies every entry of the tar as it is. The builder is left open for more.
pub fn copy(rootfs: &Path, into: &mut tar::Builder<&mut dyn Write>) -> Result<()> {
    let mut archive = tar::Archive::new(File::open(rootfs)?);
    for entry in archive.entries()?.raw(true) {
        let entry = entry?;
        into.append(&entry.header().clone(), entry)?;
    }
    Ok(())
}

/// The bytes of one file in the tar, whether names in it begin with `./` or not.
pub fn read(rootfs: &Path, name: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(File::open(rootfs)?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if Path::new(".").join(entry.path()?) == Path::new(".").join(name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    anyhow::bail!("no `{name}` in `{}`", rootfs.display())
}

/// Adds a file with these permissions, of any size.
pub fn add(tar: &mut tar::Builder<&mut dyn Write>, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    Ok(tar.append_data(&mut header, name, bytes)?)
}

/// Adds a program of this machine.
pub fn add_program(tar: &mut tar::Builder<&mut dyn Write>, name: &str, file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    add(tar, name, 0o755, &bytes)
}
