//! Packages, as users install them into a home that has nothing, by each Helm in its own way: without a network, from a web
//! server, from a registry; signed where Helm asks for it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use lab::emulator::{Emulator, Options};
use lab::http::exchange;
use lab::lab::Lab;
use lab::plugin_package::{PluginPackages, pack};
use lab::process::{SHORT, run};
use lab::programs::Programs;
use lab::tool::Tool;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use crate::stage::end;

const PLUGIN: &str = "application/vnd.helm.plugin.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A Helm whose every way out is closed.
fn helm(helm: &Path, home: &Path) -> Command {
    let mut command = Command::new(helm);
    command.env_clear().env("HOME", home).env("HTTPS_PROXY", "http://127.0.0.1:1").current_dir(home);
    command.env("HTTP_PROXY", "http://127.0.0.1:1");
    command
}

fn installs(tool: &Path, home: &Path, arguments: &[&str]) {
    let version = format!("eks-deploy {}\nhelm ", env!("CARGO_PKG_VERSION"));
    let mut install = helm(tool, home);
    end(install.args(["plugin", "install"]).args(arguments)).expect(0, &[]);
    let said = end(helm(tool, home).args(["eks-deploy", "version"]));
    said.expect(0, &[]);
    assert!(said.out.starts_with(&version), "{said:#?}");
    let listed = end(helm(tool, home).args(["plugin", "list"]));
    assert!(listed.out.contains("eks-deploy"), "{listed:#?}");
    assert_eq!(end(helm(tool, home).args(["eks-deploy", "up", "--typo"])).code, Some(64));
    end(helm(tool, home).args(["plugin", "uninstall", "eks-deploy"])).expect(0, &[]);
}

/// A program, and its packages, which lie unpacked in `for3` and `for4` too.
fn packed(home: &Path) -> (PathBuf, PluginPackages) {
    // A few bytes in the program's place: a test's build has hundreds of megabytes.
    let program = home.join("program");
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", Programs::built().unwrap().plugin.display());
    fs::write(&program, script).unwrap();
    let packages = pack(&program, ("linux", "amd64"), home).unwrap();
    for (package, folder) in [(&packages.helm3, "for3"), (&packages.helm4, "for4")] {
        fs::create_dir(home.join(folder)).unwrap();
        run(Command::new("tar").arg("xzf").arg(package).arg("-C").arg(home.join(folder)), SHORT).unwrap();
    }
    (program, packages)
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn both_helms_install_the_packages_of_one_build_without_a_network() {
    let lab = Lab::running().unwrap();
    let (helm3, helm4) = (lab.tool(Tool::Helm3).unwrap(), lab.tool(Tool::Helm4).unwrap());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (program, PluginPackages { helm4: for4, .. }) = packed(home);
    // Not signed in a test: Helm 4 would ask for the provenance file beside the package.
    installs(&helm4, home, &[for4.to_str().unwrap(), "--verify=false"]);
    installs(&helm4, home, &["for4/eks-deploy"]);
    installs(&helm4, home, &["for3"]);
    installs(&helm3, home, &["for3"]);
    let again = tempfile::tempdir().unwrap();
    let repeated = pack(&program, ("linux", "amd64"), again.path()).unwrap();
    assert!(fs::read(for4).unwrap() == fs::read(repeated.helm4).unwrap(), "the same bytes every time");
}

/// By a key of this test. Without a signature, or with one of other bytes, nothing is installed.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn helm_4_takes_what_is_signed_from_the_web_and_from_a_registry() {
    let lab = Lab::running().unwrap();
    let (helm3, helm4) = (lab.tool(Tool::Helm3).unwrap(), lab.tool(Tool::Helm4).unwrap());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (_, PluginPackages { helm3: for3, .. }) = packed(home);
    let keyring = keys(home);
    let known = ["--keyring", keyring.to_str().unwrap()];
    let mut sign = helm(&helm4, home);
    sign.args(["plugin", "package", "for4/eks-deploy", "--destination=signed"]);
    end(sign.args(["--key=lab@example.com", "--keyring=secret.gpg"])).expect(0, &[]);
    let name = format!("eks-deploy-{}.tgz", env!("CARGO_PKG_VERSION"));
    let signed = home.join("signed").join(&name);
    let verified = end(helm(&helm4, home).args(["plugin", "verify"]).arg(&signed).args(known));
    verified.expect(0, &[]);
    assert!(verified.out.contains("Signed by: Lab <lab@example.com>"), "{verified:#?}");

    let web = serve(home);
    let at = |path: &str| format!("http://{web}/{path}");
    installs(&helm4, home, &[&[&*at(&format!("signed/{name}"))], &known[..]].concat());
    let package = fs::read(&signed).unwrap();
    for (folder, content) in [("changed", [&package[..], b" "].concat()), ("bare", package.clone())] {
        fs::create_dir(home.join(folder)).unwrap();
        fs::write(home.join(folder).join(&name), content).unwrap();
    }
    fs::copy(signed.with_extension("tgz.prov"), home.join("changed").join(format!("{name}.prov"))).unwrap();
    for (folder, said) in [("changed", "sha256 sum does not match"), ("bare", "provenance")] {
        let url = at(&format!("{folder}/{name}"));
        end(helm(&helm4, home).args(["plugin", "install", &url]).args(known)).expect(1, &[said]);
        assert!(!end(helm(&helm4, home).args(["plugin", "list"])).out.contains("eks-deploy"));
    }

    let runtime = Runtime::new().unwrap();
    let options = Options { open: true, strict: false, ..Options::default() };
    let registry = runtime.block_on(Emulator::start(options)).unwrap();
    push(registry.address(), &name, &package, &fs::read(signed.with_extension("tgz.prov")).unwrap());
    let reference = format!("oci://{}/eks-deploy:{}", registry.address(), env!("CARGO_PKG_VERSION"));
    installs(&helm4, home, &[&[&*reference, "--plain-http"], &known[..]].concat());
    let file = for3.file_name().unwrap().to_str().unwrap();
    installs(&helm3, home, &[&at(&format!("helm3/{file}"))]);
}

/// Makes a key without a passphrase, and keyrings of the form that Helm reads; gives that of the public key.
fn keys(home: &Path) -> PathBuf {
    let folder = home.join("gnupg");
    fs::create_dir(&folder).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", &folder).current_dir(home).args([
            "--batch",
            "--quiet",
            "--no-permission-warning",
        ]);
        run(gpg.args(["--pinentry-mode=loopback", "--passphrase="]).args(arguments), SHORT).unwrap();
    };
    gpg(&["--quick-generate-key", "Lab <lab@example.com>", "rsa2048", "sign", "never"]);
    gpg(&["--output=public.gpg", "--export"]);
    gpg(&["--output=secret.gpg", "--export-secret-keys"]);
    run(Command::new("gpgconf").env("GNUPGHOME", &folder).args(["--kill", "gpg-agent"]), SHORT).unwrap();
    home.join("public.gpg")
}

/// Serves the files of a folder until the test's process ends.
fn serve(folder: &Path) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = folder.to_owned();
    thread::spawn(move || listener.incoming().flatten().for_each(|client| drop(give(&client, &folder))));
    address
}

fn give(mut client: &TcpStream, folder: &Path) -> std::io::Result<()> {
    let lines: Vec<String> =
        BufReader::new(client).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let mut words = lines.first().map(String::as_str).unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let file = fs::read(folder.join(path.trim_start_matches('/')));
    let (status, content) = file.map_or((404, Vec::new()), |content| (200, content));
    let length = content.len();
    let head = "content-type: application/gzip\r\nconnection: close\r\n\r\n";
    write!(client, "HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n{head}")?;
    if method == "HEAD" { Ok(()) } else { client.write_all(&content) }
}

/// Puts the package and its signature into a registry, in the form that Helm 4 looks for.
fn push(registry: SocketAddr, name: &str, package: &[u8], signature: &[u8]) {
    let host = ("host".to_owned(), registry.to_string());
    let ask = |method: &str, path: &str, kind: &str, body: &[u8]| {
        let headers = [host.clone(), ("content-type".to_owned(), kind.to_owned())];
        let answer = exchange(registry, method, path, &headers, body).unwrap();
        assert!(answer.is_success(), "{method} {path}: {answer:?}");
        answer
    };
    let blob = |content: &[u8], title: &str| -> Value {
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(content)));
        let begun = ask("POST", "/v2/eks-deploy/blobs/uploads/", "text/plain", b"");
        let place = begun.header("location").unwrap().replace(&format!("http://{registry}"), "");
        let mark = if place.contains('?') { '&' } else { '?' };
        ask("PUT", &format!("{place}{mark}digest={digest}"), "application/octet-stream", content);
        let annotations = json!({"org.opencontainers.image.title": title});
        json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": content.len(),
            "annotations": annotations})
    };
    let layers = [blob(package, name), blob(signature, &format!("{name}.prov"))];
    let mut config = blob(b"{}", "config");
    config["mediaType"] = json!("application/vnd.oci.empty.v1+json");
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": PLUGIN, "config": config, "layers": layers});
    let path = format!("/v2/eks-deploy/manifests/{}", env!("CARGO_PKG_VERSION"));
    ask("PUT", &path, MANIFEST, manifest.to_string().as_bytes());
}
