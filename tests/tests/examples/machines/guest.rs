//! The image of a virtual machine: a Debian with systemd, cloud-init and Docker, as the AMI of a distribution has them.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use lab::lab::Lab;
use lab::packages::Consent;
use lab::tool::ECR_LOGIN;
use lab::{node, progress, rootfs};

/// The helper is Debian's too, so that cloud-init finds its package installed.
const PACKAGES: &str = "amazon-ecr-credential-helper,ca-certificates,curl,dbus,docker.io,iproute2,iptables,openssl,\
procps,systemd,systemd-sysv";
const LATER: [&str; 1] = ["cloud-init"];
const ENTRY: &[u8] = include_bytes!("guest-entry.sh");
/// There is no network to wait for.
const CLOUD_INIT: &[u8] = b"datasource_list: [NoCloud]\nnetwork: {config: disabled}\n\
apt: {preserve_sources_list: true}\nlocale: false\n";
/// Overlays cannot lie on an overlay.
const CHANGES: [&str; 3] = [
    r#"ENTRYPOINT ["/usr/local/sbin/guest-entry"]"#,
    r#"VOLUME ["/var/lib/docker", "/var/lib/containerd"]"#,
    "ENV container=docker",
];

/// The name of the image, made in the engine unless it is there.
pub(crate) fn image(lab: &Lab) -> Result<String> {
    let parts = [PACKAGES, LATER[0], ECR_LOGIN.version].map(str::as_bytes);
    let name = format!("lab/guest:{}", node::key(&[&parts[..], &[ENTRY, CLOUD_INIT]].concat()));
    if !lab.engine().has_image(&name) {
        let rootfs = rootfs::install_with(lab.cache(), Consent::from_flag(false), PACKAGES, &LATER)?;
        let login = ECR_LOGIN.install(lab.cache(), "docker-credential-ecr-login")?;
        progress::step(format_args!("make the guest image {name}"), || {
            lab.engine().import(&name, &CHANGES, |out| write(&rootfs, &login, out))
        })?;
    }
    Ok(name)
}

fn write(rootfs: &Path, login: &Path, out: &mut dyn Write) -> Result<()> {
    let mut tar = tar::Builder::new(out);
    rootfs::copy(rootfs, &mut tar)?;
    // Debian's version cannot be pointed at another endpoint; this one comes first on PATH.
    rootfs::add_program(&mut tar, "usr/local/bin/docker-credential-ecr-login", login)?;
    rootfs::add(&mut tar, "usr/local/sbin/guest-entry", 0o755, ENTRY)?;
    rootfs::add(&mut tar, "etc/cloud/cloud.cfg.d/99-lab.cfg", 0o644, CLOUD_INIT)?;
    tar.finish()?;
    Ok(())
}
