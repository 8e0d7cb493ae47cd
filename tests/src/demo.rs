//! `cargo xtask demo`: one service from its source to a cluster, by native Terraform and native Helm.
//!
//! Types what a user types (the example's own README), with the lab in the place of AWS, and at the end holds what the pods
//! run against what Terraform put out. The lab stays up, so that the reader can go on from there.

mod running;
mod stage;

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::cache::Cache;
use crate::cluster;
use crate::lab::start;
use crate::packages::Consent;
use crate::programs::{Profile, Programs};
use crate::progress::{human, say};
use crate::tool::terraform;

use running::{Outputs, Pods};
use stage::Stage;

/// What the demo is run with.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Use OpenTofu instead of Terraform
    #[arg(long)]
    tofu: bool,
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
}

const NAMESPACE: &str = "demo";
const RELEASE: &str = "hello";

/// Runs the whole story and prints how it ended.
///
/// # Errors
/// When a step fails, with the end of what its program printed; and when a pod runs another image than Terraform built.
pub fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.tofu {
        terraform::require()?; // nothing here installs it: better said now than after minutes of compiling
    }
    let cache = Cache::from_env()?;
    let programs = Programs::build(&cache, Profile::Dev)?;
    let begun = Instant::now();
    let lab = start::up(&cache, Consent::from_flag(arguments.yes))?;
    let stage = Stage::set(lab, &programs, arguments.tofu)?;
    let outputs = provision(&stage)?;
    stage.write_kubeconfig(&outputs.cluster.value)?;
    deploy(&stage, &outputs)?;
    let ending = look(&stage, &outputs)?;
    print(&stage, &ending);
    say(format_args!("from source to cluster in {}", human(begun.elapsed())));
    Ok(())
}

fn provision(stage: &Stage) -> Result<Outputs> {
    stage.step("terraform -chdir=bootstrap init", &[])?;
    stage.step("terraform -chdir=bootstrap apply", &["-auto-approve"])?;
    let bucket = stage.ask("terraform -chdir=bootstrap output -raw bucket")?;
    stage.step(&format!("terraform -chdir=main init -backend-config=bucket={bucket}"), &[])?;
    stage.step("terraform -chdir=main apply -var release=v1", &["-auto-approve"])?;
    let json = stage.ask("terraform -chdir=main output -json")?;
    serde_json::from_str(&json).context("unexpected outputs of the example")
}

fn deploy(stage: &Stage, outputs: &Outputs) -> Result<()> {
    let cluster = &outputs.cluster.value.name;
    cluster::Cluster::await_ready(stage.lab(), cluster)?;
    let line = format!(
        "helm eks-deploy up {RELEASE} ./chart --namespace {NAMESPACE} --create-namespace --cluster {cluster} \
         --tf-dir main --image api.image=terraform:api_image --image site.image=terraform:site_image"
    );
    stage.step(&line, &[])
}

/// What a reader came to see.
struct Ending {
    api: String,
    api_digest: String,
    site: String,
    site_digest: String,
}

fn look(stage: &Stage, outputs: &Outputs) -> Result<Ending> {
    let pods = stage.ask(&format!("kubectl --namespace {NAMESPACE} get pods --output json"))?;
    let pods: Pods = serde_json::from_str(&pods).context("unexpected answer of kubectl")?;
    let (api, site) = (fetch(stage, "api")?, fetch(stage, "site")?);
    let answer: serde_json::Value = serde_json::from_str(&api).context("the api answered no JSON")?;
    let pod = answer["pod"].as_str().unwrap_or_default();
    ensure!(pods.has("api", pod), "the api answered as `{pod}`, which is none of its pods");
    Ok(Ending {
        api_digest: pods.digest_of("api", &outputs.api_image.value)?,
        site_digest: pods.digest_of("site", &outputs.site_image.value)?,
        api: api.trim().to_owned(),
        site: site
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("<h1>"))
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Asks the component through its Service, by the API server's proxy.
fn fetch(stage: &Stage, component: &str) -> Result<String> {
    let service = format!("http:{RELEASE}-{component}:http");
    stage.ask(&format!("kubectl get --raw /api/v1/namespaces/{NAMESPACE}/services/{service}/proxy/"))
}

#[expect(clippy::print_stdout, reason = "the answer to the command")]
fn print(stage: &Stage, ending: &Ending) {
    let Ending { api, api_digest, site, site_digest } = ending;
    println!();
    println!("api   {api}");
    println!("      {api_digest}, built by Terraform, run by its pods");
    println!("site  {site}");
    println!("      {site_digest}, built by Terraform, run by its pods");
    println!();
    println!(
        "Change the greeting in examples/build-and-deploy/app/main.go and run `cargo xtask demo` again,"
    );
    println!("or go on by hand: {}, helm and kubectl are set up for a shell that reads", stage.terraform());
    println!("  . {}", stage.environment_file().display());
    println!("  cd {}", stage.example().display());
    println!("  kubectl --namespace {NAMESPACE} get pods");
    println!("`cargo xtask lab down` ends the lab.");
    println!();
}
