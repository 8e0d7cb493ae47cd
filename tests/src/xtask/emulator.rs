//! `cargo xtask emulator`: the ECR emulator as a process of its own.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;

use crate::emulator::{Emulator, Keep, Options, ecr_rates};
use crate::progress;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:4568", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Names that are made up follow from it
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    seed: u64,
    /// Where blobs are kept
    #[arg(long, value_enum, default_value_t = Keep::Memory)]
    keep: Keep,
    /// How long every request waits before it is looked at
    #[arg(long, default_value_t = 0, value_name = "MILLISECONDS")]
    delay: u64,
    /// Ask for no password, and make a repository with the first push to it
    #[arg(long)]
    open: bool,
    /// Refuse what is above ECR's rates
    #[arg(long)]
    rates: bool,
    /// Repositories to begin with
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<String>,
}

#[tokio::main]
pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let &Arguments { listen, seed, keep, delay, open, rates, .. } = arguments;
    let rates = if rates { ecr_rates() } else { Options::default().rates };
    let delay = Duration::from_millis(delay);
    let emulator =
        Emulator::start(Options { seed, listen, keep, delay, rates, open, ..Options::default() }).await?;
    for repository in &arguments.repositories {
        emulator.create(repository);
    }
    let (keys, (user, password)) = (emulator.keys(), emulator.login());
    progress::say(format_args!("the ECR emulator is {} on {}", emulator.host(), emulator.url()));
    progress::say(format_args!("access key {} secret {}", keys.id, keys.secret));
    progress::say(format_args!("user {user} password {password}"));
    emulator.serve().await;
    Ok(())
}
