//! A token for a cluster: every kubectl and every helm waits for one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use crate::bench::contest::{self, Entrant, Finished, OURS, Taken, measured};
use crate::bench::lane::{Lane, Stage, Way, run};
use crate::emulator::{Emulator, Options};
use crate::tool::Tool;

const CLUSTER: &str = "demo";
const REGION: &str = "eu-west-1";

pub(in crate::bench) const LANES: &[Lane] = &[
    // kubectl and helm ask for a token once per command, and after a 401 several times: its start-up time is waited for.
    Lane {
        area: "helm",
        name: "token",
        warm_up: 3,
        rounds: 21,
        ours: |stage| Ok(token(&stage.programs()?.plugin, &["token", "--cluster-name", CLUSTER])),
        peers: &[
            Way {
                name: "aws",
                command: |stage| {
                    let aws = Tool::Aws.install(&stage.cache)?;
                    Ok(token(&aws, &["eks", "get-token", "--cluster-name", CLUSTER]))
                },
            },
            Way {
                name: "aws-iam-authenticator",
                command: |stage| {
                    let authenticator = Tool::AwsIamAuthenticator.install(&stage.cache)?;
                    Ok(token(&authenticator, &["token", "--cluster-id", CLUSTER]))
                },
            },
        ],
        goal: None,
        unit: "ms",
        measure: |command| run(command, is_token),
    },
];

fn is_token(said: &str) -> bool {
    said.contains("\"k8s-aws-v1.") && said.contains("ExecCredential")
}

/// The same as a role, which STS is asked for. aws-iam-authenticator asks no other STS than AWS's own.
pub(super) fn assume_role(stage: &Stage, without: &[String], rounds: usize) -> Result<Vec<Finished>> {
    const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";
    let runtime = Runtime::new()?;
    let options = Options { delay: Duration::from_millis(20), ..Options::default() };
    let emulator = runtime.block_on(Emulator::start(options))?;
    let entrant = |name, program: &Path, arguments: &[&str]| {
        let mut command = token(program, arguments);
        let keys = emulator.keys();
        command.args(["--role-arn", ROLE]).env("AWS_ENDPOINT_URL_STS", emulator.url());
        command.env("AWS_ACCESS_KEY_ID", keys.id).env("AWS_SECRET_ACCESS_KEY", keys.secret);
        let folder = stage.folder.path();
        let run = move |_| {
            let usage = measured(&command, folder, None, is_token)?;
            Ok(Taken { usage, ..Taken::default() })
        };
        Entrant { name, version: String::new(), run: Box::new(run) }
    };
    let ours = stage.programs()?.plugin;
    let mut entrants = vec![entrant(OURS, &ours, &["token", "--cluster-name", CLUSTER])];
    if !without.iter().any(|name| name == "aws") {
        let aws = Tool::Aws
            .install(&stage.cache)
            .context("no aws: get it, or leave it out with `--without aws`")?;
        entrants.push(entrant("aws", &aws, &["eks", "get-token", "--cluster-name", CLUSTER]));
    }
    contest::compete(entrants, rounds)
}

/// Signing needs keys, which need not be anybody's, and no network.
fn token(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.args(arguments).args(["--region", REGION]);
    command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "example");
    command.env("AWS_REGION", REGION).env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}
