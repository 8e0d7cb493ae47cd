//! Base images for examples and tests: of public images where these can be pulled, else of what is on this machine.
//!
//! One with Go, for a Dockerfile's RUN steps, in the engine; one with a static busybox, for files onto a base, in ECR. The
//! second has the same digest wherever it is made, so that a run on another day finds nothing changed.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::aws::{ACCOUNT, REGION};
use crate::cache::Cache;
use crate::docker::Engine;
use crate::http::exchange;
use crate::ministack::MiniStack;
use crate::packages::Consent;
use crate::process::{LONG, SHORT, run};
use crate::tool::go;
use crate::{progress, rootfs};

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Docker Hub, which can be reached.
    Public,
    /// What is on this machine and in Debian.
    Machine(Consent),
}

const PUBLIC_GOLANG: &str = "docker.io/library/golang:1.26";
const PUBLIC_BUSYBOX: &str = "docker.io/library/busybox:1.37";
/// In the root file system.
const BUSYBOX_FILE: &str = "usr/bin/busybox";
/// Repository of the busybox base.
pub const BUSYBOX: &str = "lab/busybox";
const TAG: &str = "1";
/// The commands of busybox that examples use.
const APPLETS: [&str; 16] = [
    "sh", "cat", "cp", "echo", "env", "false", "httpd", "id", "ls", "mkdir", "mv", "rm", "sleep", "test",
    "true", "wget",
];
const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65532:65532:nobody:/:/bin/sh\n";
const GO_ENVIRONMENT: [&str; 2] = [
    "ENV PATH=/usr/local/go/bin:/bin GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off HOME=/root",
    "WORKDIR /src",
];

/// The registry's host, as AWS names it.
pub fn registry() -> String {
    format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com")
}

/// The busybox base as an image reference.
pub fn busybox_reference() -> String {
    format!("{}/{BUSYBOX}:{TAG}", registry())
}

/// The image with Go: the public one, or one made in the engine unless it is there.
pub fn golang(cache: &Cache, engine: &Engine, origin: Origin) -> Result<String> {
    let Origin::Machine(consent) = origin else { return Ok(PUBLIC_GOLANG.to_owned()) };
    let name = format!("lab/golang:{}", go::GO);
    if !engine.has_image(&name) {
        let rootfs = rootfs::install(cache, consent)?;
        let root = go::root(cache)?;
        progress::step(format_args!("make the base image {name}"), || {
            engine.import(&name, &GO_ENVIRONMENT, |out| write_golang(&rootfs, &root, out))
        })?;
    }
    Ok(name)
}

/// Puts the busybox base into ECR, unless it is there.
pub fn push_busybox(cache: &Cache, engine: &Engine, ministack: &MiniStack, origin: Origin) -> Result<()> {
    let busybox = match origin {
        Origin::Public => busybox_of_image(engine)?,
        Origin::Machine(consent) => rootfs::read(&rootfs::install(cache, consent)?, BUSYBOX_FILE)?,
    };
    let layer = busybox_layer(&busybox)?;
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
    });
    let (config, kind) = (config.to_string().into_bytes(), "application/vnd.oci.image");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": format!("{kind}.manifest.v1+json"),
        "config": descriptor(&format!("{kind}.config.v1+json"), &config),
        "layers": [descriptor(&format!("{kind}.layer.v1.tar"), &layer)],
    });
    ministack.root().ecr("CreateRepository", &json!({"repositoryName": BUSYBOX}))?;
    push_blob(ministack, &layer)?;
    push_blob(ministack, &config)?;
    push_manifest(ministack, &manifest.to_string())
}

/// A layer with this machine's busybox and nothing else.
pub(crate) fn busybox_of_machine(cache: &Cache, consent: Consent) -> Result<Vec<u8>> {
    busybox_layer(&rootfs::read(&rootfs::install(cache, consent)?, BUSYBOX_FILE)?)
}

fn busybox_layer(busybox: &[u8]) -> Result<Vec<u8>> {
    let mut layer = Vec::new();
    let mut tar = tar::Builder::new(&mut layer as &mut dyn Write);
    write_busybox(busybox, &mut tar)?;
    tar.finish()?;
    drop(tar);
    Ok(layer)
}

/// The static program of the public image.
fn busybox_of_image(engine: &Engine) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("busybox");
    run(engine.docker().args(["pull", "--quiet", PUBLIC_BUSYBOX]), LONG)?;
    let container = engine.ask(&["create", PUBLIC_BUSYBOX])?;
    run(engine.docker().arg("cp").arg(format!("{container}:/bin/busybox")).arg(&file), SHORT)?;
    engine.ask(&["rm", &container])?;
    Ok(fs::read(&file)?)
}

fn write_busybox(busybox: &[u8], tar: &mut tar::Builder<&mut dyn Write>) -> Result<()> {
    for folder in ["bin/", "etc/", "root/", "tmp/"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(if folder == "tmp/" { 0o1777 } else { 0o755 });
        header.set_size(0);
        tar.append_data(&mut header, folder, std::io::empty())?;
    }
    rootfs::add(tar, "etc/passwd", 0o644, PASSWD)?;
    rootfs::add(tar, "bin/busybox", 0o755, busybox)?;
    for applet in APPLETS {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        tar.append_link(&mut header, format!("bin/{applet}"), "busybox")?;
    }
    Ok(())
}

fn write_golang(rootfs: &Path, root: &Path, out: &mut dyn Write) -> Result<()> {
    let mut tar = tar::Builder::new(out);
    tar.follow_symlinks(false);
    write_busybox(&rootfs::read(rootfs, BUSYBOX_FILE)?, &mut tar)?;
    for part in ["bin", "go.env", "pkg", "src", "VERSION"] {
        let (from, to) = (root.join(part), Path::new("usr/local/go").join(part));
        let added = if from.is_dir() {
            tar.append_dir_all(&to, &from)
        } else {
            tar.append_path_with_name(&from, &to)
        };
        added.with_context(|| format!("cannot read `{}`", from.display()))?;
    }
    tar.finish()?;
    Ok(())
}

fn push_blob(ministack: &MiniStack, bytes: &[u8]) -> Result<()> {
    let address = ministack.address;
    let host = [("host".to_owned(), address.to_string())];
    let begun = exchange(address, "POST", &format!("/v2/{BUSYBOX}/blobs/uploads/"), &host, b"")?;
    let location = begun.header("location").context("an upload begins with a location")?;
    let path = location.strip_prefix(&format!("http://{address}")).unwrap_or(location);
    let mark = if path.contains('?') { '&' } else { '?' };
    let ended = exchange(address, "PUT", &format!("{path}{mark}digest={}", digest(bytes)), &host, bytes)?;
    ensure!(ended.is_success(), "the registry refused a blob: status {}: {}", ended.status, ended.body);
    Ok(())
}

fn push_manifest(ministack: &MiniStack, manifest: &str) -> Result<()> {
    let address = ministack.address;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let headers = [("host", address.to_string()), ("content-type", kind.to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    let path = format!("/v2/{BUSYBOX}/manifests/{TAG}");
    let answer = exchange(address, "PUT", &path, &headers, manifest.as_bytes())?;
    ensure!(
        answer.is_success(),
        "the registry refused a manifest: status {}: {}",
        answer.status,
        answer.body
    );
    Ok(())
}

fn descriptor(media_type: &str, bytes: &[u8]) -> serde_json::Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
