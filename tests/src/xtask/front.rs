//! `cargo xtask front`: the ECR front as a process of its own, as the lab starts it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;

use crate::front::{Front, Settings};
use crate::progress;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:4567", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// MiniStack's gateway
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "ADDRESS")]
    upstream: SocketAddr,
    /// How long issued passwords last
    #[arg(long, default_value_t = 43_200, value_name = "SECONDS")]
    password_life: u64,
}

#[tokio::main]
pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let &Arguments { listen, upstream, password_life } = arguments;
    let front =
        Front::start(Settings { listen, upstream, password_life: Duration::from_secs(password_life) })
            .await?;
    progress::say(format_args!("the ECR front listens on http://{} before {upstream}", front.address()));
    front.serve().await
}
