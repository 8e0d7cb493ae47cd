//! A chart of a hundred images with a Helm that answers at once, from files, and an ECR in memory: what is left is ours.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::bench::contest::{self, Entrant, Finished, OURS, Taken, measured};
use crate::bench::lane::Stage;
use crate::emulator::{Emulator, Options};
use crate::http::exchange;
use crate::process::{SHORT, run};
use crate::tool::Tool;

/// How many images there are.
pub const IMAGES: usize = 100;
const REGION: &str = "eu-central-1";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Stands for Helm: both of its dry runs are written down.
const HELM: &str = r#"#!/bin/sh
echo "$*" >>"$0.calls"
case "$*" in
  version*) echo v4.3.1 ;;
  *--reset-values*) cat "$0.pinned" ;;
  *) cat "$0.plain" ;;
esac
"#;

/// In how many repositories the images are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// In one.
    One,
    /// Each in its own.
    Hundred,
}

impl Spread {
    fn repository(self, number: usize) -> String {
        match self {
            Self::One => "shop/all".to_owned(),
            Self::Hundred => format!("shop/web-{number}"),
        }
    }
}

/// The chart, and what it needs.
#[derive(Debug)]
pub struct Hundred {
    /// The registry.
    pub ecr: Emulator,
    /// Runs it, and may run more.
    pub runtime: Runtime,
    folder: TempDir,
    spread: Spread,
}

impl Hundred {
    /// With a registry as far away as this.
    ///
    /// # Errors
    /// When the images cannot be pushed, or the files not written.
    pub fn set(spread: Spread, delay: Duration) -> Result<Self> {
        let runtime = Runtime::new()?;
        let options = Options { open: true, strict: false, delay, ..Options::default() };
        let ecr = runtime.block_on(Emulator::start(options))?;
        let hundred = Self { ecr, runtime, folder: tempfile::tempdir()?, spread };
        let digests = (0..IMAGES).map(|number| hundred.push(number)).collect::<Result<Vec<_>>>()?;
        hundred.write(&digests)?;
        _ = hundred.ecr.take_log();
        Ok(hundred)
    }

    /// An index without images: all that resolving looks at.
    fn push(&self, number: usize) -> Result<String> {
        let repository = self.spread.repository(number);
        self.ecr.create(&repository);
        let annotations = json!({"number": number.to_string()});
        let index =
            json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": annotations});
        let (address, body) = (self.ecr.address(), index.to_string());
        let headers = [("host", address.to_string()), ("content-type", INDEX.to_owned())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let path = format!("/v2/{repository}/manifests/v{number}");
        let answer = exchange(address, "PUT", &path, &headers, body.as_bytes())?;
        ensure!(answer.is_success(), "{path}: {} {}", answer.status, answer.body);
        Ok(format!("sha256:{}", hex::encode(Sha256::digest(body))))
    }

    fn image(&self, number: usize) -> String {
        format!("{}/{}:v{number}", self.ecr.host(), self.spread.repository(number))
    }

    fn write(&self, digests: &[String]) -> Result<()> {
        let path = |name: &str| self.folder.path().join(name);
        let images: Vec<String> = (0..IMAGES).map(|number| self.image(number)).collect();
        let pinned: Vec<String> =
            images.iter().zip(digests).map(|(image, digest)| format!("{image}@{digest}")).collect();
        fs::write(path("helm.plain"), dry_run(&images, &images))?;
        fs::write(path("helm.pinned"), dry_run(&images, &pinned))?;
        fs::write(path("script"), HELM)?;
        // Not written by this process: what another thread starts would hold it open for writing.
        run(Command::new("install").arg("-m755").arg(path("script")).arg(path("helm")), SHORT)?;
        let endpoint = format!("https://demo.gr7.{REGION}.eks.amazonaws.com");
        let cluster = json!({"name": "demo", "region": REGION, "endpoint": endpoint, "ca": "Q0E="});
        let outputs = json!({"cluster": {"sensitive": false, "type": "dynamic", "value": cluster}});
        fs::write(path("outputs.json"), outputs.to_string())?;
        let file = "version: 1\ncluster: {terraform: cluster}\nterraform: {outputFile: outputs.json}\n\
                    release: {name: web, chart: ./web, namespace: shop}\n";
        fs::write(path("eks-deploy.yaml"), file)?;
        fs::create_dir(path("web"))?;
        Ok(fs::write(path("web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n")?)
    }

    /// `eks-deploy images list`, which tells every image by its digest. `endpoint` is where the registry is reached.
    pub fn command(&self, plugin: &Path, endpoint: &str) -> Command {
        let (mut command, keys) = (Command::new(plugin), self.ecr.keys());
        command
            .args(["images", "list"])
            .env_clear()
            .env("EKS_DEPLOY_CONFIG", self.folder.path().join("eks-deploy.yaml"));
        command.env("HELM_BIN", self.folder.path().join("helm")).env("TMPDIR", self.folder.path());
        command.env("HOME", self.folder.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", keys.id).env("AWS_SECRET_ACCESS_KEY", keys.secret);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{}={endpoint}", self.ecr.host()));
        command
    }

    /// What Helm was called with, so far.
    ///
    /// # Errors
    /// When it was not called at all.
    pub fn calls_of_helm(&self) -> Result<Vec<String>> {
        let calls = fs::read_to_string(self.folder.path().join("helm.calls"))?;
        Ok(calls.lines().map(str::to_owned).collect())
    }

    /// Each image by a process of its own, as a script would.
    fn crane(&self, crane: &Path) -> Result<Command> {
        let list = self.folder.path().join("list");
        let address = self.ecr.address();
        let lines = (0..IMAGES).fold(String::new(), |mut text, number| {
            _ = writeln!(text, "{address}/{}:v{number}", self.spread.repository(number));
            text
        });
        fs::write(&list, lines)?;
        let mut command = Command::new("sh");
        command.args(["-c", r#"xargs -P 8 -n 1 "$0" digest --insecure <"$1""#]).arg(crane).arg(list);
        Ok(command)
    }
}

/// What Helm says of a chart whose values are these images, and that renders these.
fn dry_run(values: &[String], rendered: &[String]) -> String {
    let pod = |(number, image): (usize, &String)| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\nspec: {{containers: [{{name: c, image: \
             \"{image}\"}}]}}\n"
        )
    };
    let manifest: String = rendered.iter().enumerate().map(pod).collect();
    let values: serde_json::Map<_, _> =
        values.iter().enumerate().map(|(number, image)| (format!("image{number}"), json!(image))).collect();
    json!({
        "name": "web", "version": 1, "namespace": "shop", "apply_method": "ssa", "config": {},
        "chart": {"metadata": {"name": "web", "version": "0.1.0"}, "values": values}, "manifest": manifest,
    })
    .to_string()
}

pub(super) fn compete(
    stage: &Stage,
    spread: Spread,
    without: &[String],
    rounds: usize,
) -> Result<Vec<Finished>> {
    let hundred = Hundred::set(spread, Duration::from_millis(20))?;
    let folder = stage.folder.path();
    let entrant = |name, command: Command| {
        let run = move |_| {
            let done = |said: &str| said.matches("sha256:").count() >= IMAGES;
            Ok(Taken { usage: measured(&command, folder, None, done)?, ..Taken::default() })
        };
        Entrant { name, version: String::new(), run: Box::new(run) }
    };
    let ours = hundred.command(&stage.programs()?.plugin, &hundred.ecr.url());
    let mut entrants = vec![entrant(OURS, ours)];
    if !without.iter().any(|name| name == "crane") {
        let crane = Tool::Crane.install(&stage.cache);
        let crane = crane.context("no crane: get it, or leave it out with `--without crane`")?;
        entrants.push(entrant("crane", hundred.crane(&crane)?));
    }
    contest::compete(entrants, rounds)
}
