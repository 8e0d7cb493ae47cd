//! What the Helm plugin is felt by.

use std::path::Path;
use std::process::Command;

use super::lane::{Lane, Way, run};
use crate::tool::Tool;

const CLUSTER: &str = "demo";
const REGION: &str = "eu-west-1";

pub(super) const LANES: &[Lane] = &[
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
        measure: |command| {
            run(command, |said| said.contains("\"k8s-aws-v1.") && said.contains("ExecCredential"))
        },
    },
];

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
