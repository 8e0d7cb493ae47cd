//! The node image: a Kubernetes of one node that EKS's stand-in starts as if it were k3s.
//!
//! The public k3s image is used where it can be pulled; else an image of our own is made from Debian and the Kubernetes
//! that was built from source. Named by what is in it, so that it is made again when that changes.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::docker::Engine;
use crate::packages::Consent;
use crate::process::{LONG, SHORT, run, succeeds};
use crate::tool::{KUBERNETES, go};
use crate::{progress, rootfs};

/// The image that is tried first. `EKS_K3S_IMAGE` names another one.
pub const PUBLIC: &str = "docker.io/rancher/k3s:v1.34.4-k3s1";
const PULL: Duration = Duration::from_mins(5);
const PAUSE: &str = "lab.local/pause:1";
const PROGRAMS: [&str; 6] =
    ["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet"];
const ENTRY: &[u8] = include_bytes!("../node/node-entry.sh");
/// Where each file goes.
const FILES: [(&str, &[u8]); 4] = [
    ("opt/node/containerd.toml", include_bytes!("../node/containerd.toml")),
    ("opt/node/kubeconfig.yaml", include_bytes!("../node/kubeconfig.yaml")),
    ("opt/node/kubelet.yaml", include_bytes!("../node/kubelet.yaml")),
    ("opt/node/net.d/pods.conflist", include_bytes!("../node/pods.conflist")),
];
const PAUSE_SOURCE: &str = include_str!("../node/pause.go");

/// The name of an image that is in the engine.
pub fn image(cache: &Cache, engine: &Engine, consent: Consent) -> Result<String> {
    if let Some(named) = std::env::var("EKS_K3S_IMAGE").ok().filter(|name| !name.is_empty()) {
        return Ok(named);
    }
    let own = format!("lab/node:{}-{}", KUBERNETES.version, own_key());
    if engine.has_image(&own) {
        return Ok(own);
    }
    if can_pull(engine) {
        return Ok(PUBLIC.to_owned());
    }
    build(cache, engine, consent, &own)?;
    Ok(own)
}

/// Twelve digits that stand for these bytes.
pub fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..6])
}

fn own_key() -> String {
    let mut parts =
        vec![rootfs::PACKAGES.as_bytes(), KUBERNETES.version.as_bytes(), PAUSE_SOURCE.as_bytes(), ENTRY];
    parts.extend(FILES.iter().map(|(_, bytes)| *bytes));
    key(&parts)
}

/// A first look that takes seconds where there is no way out, then the pull itself.
fn can_pull(engine: &Engine) -> bool {
    if engine.has_image(PUBLIC) {
        return true;
    }
    let reachable = succeeds(engine.docker().args(["manifest", "inspect", PUBLIC]), Duration::from_secs(10));
    reachable
        && progress::step(format_args!("pull {PUBLIC}"), || run(engine.docker().args(["pull", PUBLIC]), PULL))
            .is_ok()
}

fn build(cache: &Cache, engine: &Engine, consent: Consent, name: &str) -> Result<()> {
    let rootfs = rootfs::install(cache, consent)?;
    KUBERNETES.install(cache, "kubelet")?;
    let pause = pause_image(cache, engine)?;
    let changes = [
        r#"ENTRYPOINT ["/usr/local/bin/node-entry"]"#,
        // An overlay cannot lie on an overlay.
        r#"VOLUME ["/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd"]"#,
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ];
    progress::step(format_args!("make the node image {name}"), || {
        engine.import(name, &changes, |out| write(cache, &rootfs, &pause, out))
    })
}

fn write(cache: &Cache, rootfs: &Path, pause: &[u8], out: &mut dyn Write) -> Result<()> {
    let mut tar = tar::Builder::new(out);
    rootfs::copy(rootfs, &mut tar)?;
    for program in PROGRAMS {
        rootfs::add_program(&mut tar, &format!("usr/local/bin/{program}"), &KUBERNETES.path(cache, program))?;
    }
    rootfs::add(&mut tar, "usr/local/bin/node-entry", 0o755, ENTRY)?;
    for (name, bytes) in FILES {
        rootfs::add(&mut tar, name, 0o644, bytes)?;
    }
    rootfs::add(&mut tar, "opt/node/pause.tar", 0o644, pause)?;
    tar.finish()?;
    Ok(())
}

/// The image of a pod's first container, in `docker save`'s form, for the node's containerd to import.
fn pause_image(cache: &Cache, engine: &Engine) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let (source, program, saved) =
        (folder.path().join("pause.go"), folder.path().join("pause"), folder.path().join("pause.tar"));
    std::fs::write(&source, PAUSE_SOURCE)?;
    run(go::command(cache)?.args(["build", "-ldflags=-s -w", "-o"]).arg(&program).arg(&source), LONG)?;
    engine.import(PAUSE, &[r#"ENTRYPOINT ["/pause"]"#], |out| {
        let mut tar = tar::Builder::new(out);
        rootfs::add_program(&mut tar, "pause", &program)?;
        Ok(tar.finish()?)
    })?;
    run(engine.docker().arg("save").arg("--output").arg(&saved).arg(PAUSE), SHORT)?;
    Ok(std::fs::read(&saved)?)
}
