//! Copies an image or a whole index from one registry to another, with the credentials that docker, podman and the
//! AWS SDK would use.
//!
//! ```text
//! cargo run -p ecr-registry --example copy -- debian:12 123456789012.dkr.ecr.eu-central-1.amazonaws.com/debian:12
//! cargo run -p ecr-registry --example copy -- --platform linux/arm64 --referrers SOURCE TARGET
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::{error::Error, process::ExitCode};

use ecr_registry::{CopyOptions, Event, Platform, Reference, Registry, Settings, Wanted};

const USAGE: &str = "copy [--platform OS/ARCHITECTURE]... [--referrers] SOURCE TARGET";

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
            let error = error.downcast_ref::<ecr_registry::Error>();
            if let Some(hint) = error.and_then(ecr_registry::Error::hint) {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (source, target, mut options) = arguments()?;
    options.tags = target.tag.iter().cloned().collect();
    let mut settings = Settings::default();
    if [&source, &target].iter().any(|image| image.repository.host().ecr().is_some()) {
        settings.aws = Some(aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await);
    }
    let settings = settings.with_logins_of_user(|name| std::env::var_os(name));
    let registry = Registry::new(settings.with_network_of_machine(|name| std::env::var_os(name))?)?;
    let progress = |event| {
        if let Event::Done { digest, how } = event {
            println!("{digest} {how:?}");
        }
    };
    let report = registry.copy(&source, &target.repository, &options, &progress).await?;
    let sent = report.pushed.sent.len();
    println!(
        "{}@{}: {sent} blobs, {} bytes sent",
        target.repository, report.root.digest, report.pushed.bytes_sent
    );
    Ok(())
}

fn arguments() -> Result<(Reference, Reference, CopyOptions), Box<dyn Error>> {
    let (mut names, mut platforms, mut options) =
        (Vec::new(), Vec::<Platform>::new(), CopyOptions::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--referrers" => options.referrers = true,
            "--platform" => platforms.push(arguments.next().ok_or(USAGE)?.parse()?),
            name => names.push(name.parse()?),
        }
    }
    options.wanted = match platforms.len() {
        0 => Wanted::All,
        1 => Wanted::One(platforms.remove(0)),
        _ => Wanted::Only(platforms),
    };
    let [source, target] = <[Reference; 2]>::try_from(names).map_err(|_| USAGE)?;
    Ok((source, target, options))
}
