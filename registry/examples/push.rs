//! Pushes all images of an OCI layout, ten at a time, each under its name in the layout as the tag.
//!
//! ```text
//! cargo run -p ecr-registry --example push -- LAYOUT 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::{error::Error, process::ExitCode};

use ecr_registry::{Layout, PushReport, Registry, Repository, Settings, Tag, Wanted};
use futures::{StreamExt, TryStreamExt, stream};

const USAGE: &str = "push LAYOUT REPOSITORY";
/// As many as Terraform works on.
const AT_ONCE: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  caused by: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layout, repository] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (layout, repository) = (Layout::open(layout)?, repository.parse::<Repository>()?);
    let registry = Registry::new(settings(&repository).await)?;
    let names = layout.names();
    let pushes: Vec<_> = names.iter().map(|name| push(&registry, &repository, &layout, name)).collect();
    let mut pushes = stream::iter(pushes).buffer_unordered(AT_ONCE);
    while let Some(report) = pushes.try_next().await? {
        let [sent, mounted, there] = [&report.sent, &report.mounted, &report.already_there].map(Vec::len);
        let (requests, took) = (report.requests.total(), report.took.as_millis());
        for (tag, outcome) in &report.tags {
            println!("{repository}:{tag} {outcome:?}");
        }
        println!("  {sent} blobs sent, {mounted} mounted, {there} there, {requests} requests, {took} ms");
    }
    Ok(())
}

/// AWS is asked for a password where the registry is ECR.
async fn settings(repository: &Repository) -> Settings {
    let mut settings = Settings::default();
    if repository.host().ecr().is_some() {
        settings.aws = Some(aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await);
    }
    settings.with_logins_of_user(|name| std::env::var_os(name))
}

async fn push(
    registry: &Registry,
    repository: &Repository,
    layout: &Layout,
    name: &str,
) -> Result<PushReport, Box<dyn Error>> {
    let tree = layout.tree(layout.find(Some(name))?, &Wanted::All)?;
    let tag: Tag = name.parse()?;
    Ok(registry.push_tree(repository, &tree, &[tag], &()).await?)
}
