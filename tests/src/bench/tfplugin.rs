//! What a provider's process is felt by, beside one that is written in Go, as most are.
//!
//! Both have one resource with the same schema. Every Terraform command starts a provider three times
//! or more, so its start is waited for; the rest is what the protocol itself takes, for neither provider
//! has anything to do.

mod client;
mod plan;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use super::lane::{Lane, Stage, Way, millis};
use crate::programs;
use crate::tool::{FRAMEWORK_PROVIDER, Tool};

/// Such as Terraform sends: P-521, signed by itself. Nobody has its key.
const CLIENT_CERTIFICATE: &str = include_str!("tfplugin/client.pem");
const GO: &str = "terraform-plugin-framework";

pub(super) const LANES: &[Lane] = &[
    // Up to the line that tells Terraform where to connect.
    Lane {
        area: "tfplugin",
        name: "handshake",
        warm_up: 3,
        rounds: 30,
        ours: |stage| Ok(start(stage, ours(stage)?, true)),
        peers: &[Way { name: GO, command: |stage| Ok(start(stage, go(stage)?, true)) }],
        goal: Some(10.0),
        unit: "ms",
        measure: |command| {
            let start = Instant::now();
            Provider::start(command).map(|_| millis(start))
        },
    },
    // Up to the answer to the first call; without TLS on either side, for which a client of ours has no library.
    Lane {
        area: "tfplugin",
        name: "schema",
        warm_up: 3,
        rounds: 30,
        ours: |stage| Ok(start(stage, ours(stage)?, false)),
        peers: &[Way { name: GO, command: |stage| Ok(start(stage, go(stage)?, false)) }],
        goal: None,
        unit: "ms",
        measure: client::schema,
    },
    // The provider's part of what a plan of 1,000 resources that exist takes.
    Lane {
        area: "tfplugin",
        name: "plan-1000",
        warm_up: 1,
        rounds: 7,
        ours: |stage| plan::of_1000(stage, Tool::OpenTofu, &ours(stage)?),
        peers: &[Way { name: GO, command: |stage| plan::of_1000(stage, Tool::OpenTofu, &go(stage)?) }],
        goal: Some(5.0),
        unit: "% of OpenTofu's and the provider's CPU time",
        measure: |command| plan::run(command).map(|taken| taken.share()),
    },
    Lane {
        area: "tfplugin",
        name: "plan-1000-terraform",
        warm_up: 1,
        rounds: 7,
        ours: |stage| plan::of_1000(stage, Tool::Terraform, &ours(stage)?),
        peers: &[Way { name: GO, command: |stage| plan::of_1000(stage, Tool::Terraform, &go(stage)?) }],
        goal: Some(5.0),
        unit: "% of Terraform's and the provider's CPU time",
        measure: |command| plan::run(command).map(|taken| taken.share()),
    },
    // The same plan: the largest of the provider's processes.
    Lane {
        area: "tfplugin",
        name: "memory",
        warm_up: 1,
        rounds: 7,
        ours: |stage| plan::of_1000(stage, Tool::OpenTofu, &ours(stage)?),
        peers: &[Way { name: GO, command: |stage| plan::of_1000(stage, Tool::OpenTofu, &go(stage)?) }],
        goal: None,
        unit: "MB",
        measure: |command| plan::run(command).map(|taken| taken.provider.memory_mb),
    },
];

fn ours(stage: &Stage) -> Result<PathBuf> {
    programs::example(&stage.cache, "tfplugin-rs", "process")
}

fn go(stage: &Stage) -> Result<PathBuf> {
    FRAMEWORK_PROVIDER.install(&stage.cache, "framework-provider")
}

/// A provider as Terraform starts it.
fn start(stage: &Stage, program: PathBuf, tls: bool) -> Command {
    let mut command = Command::new(program);
    command.env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
    command.env("PLUGIN_PROTOCOL_VERSIONS", "5,6").env("PLUGIN_MIN_PORT", "10000");
    // A provider that is killed leaves its socket behind.
    command.env("PLUGIN_MAX_PORT", "25000").env("TMPDIR", stage.folder.path());
    if tls {
        command.env("PLUGIN_CLIENT_CERT", CLIENT_CERTIFICATE);
    }
    command
}

/// A provider that waits for its client. Ends when dropped.
struct Provider {
    child: Child,
    socket: String,
}

impl Provider {
    /// Starts it, and waits until it has said where it listens.
    fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot run it")?;
        let mut line = String::new();
        let stdout = child.stdout.as_mut().context("stdout is piped")?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let mut provider = Self { child, socket: String::new() };
        read?;
        let socket = line.trim_end().strip_prefix("1|6|unix|").and_then(|rest| rest.split('|').next());
        provider.socket.push_str(socket.with_context(|| format!("it said `{}`", line.trim_end()))?);
        Ok(provider)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
