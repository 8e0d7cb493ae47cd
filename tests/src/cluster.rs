//! An EKS cluster of the lab, made by AWS's own API, and the proof that it is real.
//!
//! MiniStack says ACTIVE even where no container came up, so its word is not taken for it.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use serde_json::json;

use crate::aws::{ACCOUNT, REGION};
use crate::lab::Lab;
use crate::process::{poll_until, run};
use crate::progress;

const READY: Duration = Duration::from_mins(2);

/// A cluster whose node is ready.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its name in EKS.
    pub name: String,
    /// URL of the Kubernetes API.
    pub endpoint: String,
    /// The authority that signed the API's certificate, PEM in base64.
    pub ca: String,
}

impl Cluster {
    /// Creates a cluster and waits until pods can run.
    pub fn create(lab: &Lab, name: &str) -> Result<Self> {
        let role = lab.root().create_role(
            &format!("{name}-cluster"),
            &json!({"Service": "eks.amazonaws.com"}),
            &json!([{"Effect": "Allow", "Action": "eks:*", "Resource": "*"}]),
        )?;
        let body = json!({"name": name, "version": "1.34", "roleArn": role, "resourcesVpcConfig": {"subnetIds": []},
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false}});
        lab.root().rest("eks", "POST", "/clusters", &body)?;
        Self::await_ready(lab, name)
    }

    /// Waits until a cluster that exists, whoever made it, can run pods.
    pub fn await_ready(lab: &Lab, name: &str) -> Result<Self> {
        progress::step(format_args!("cluster {name}: wait for its node"), || {
            let cluster = poll_until(&format!("cluster {name} is active"), READY, || Self::look(lab, name))?;
            poll_until(&format!("cluster {name} answers"), READY, || {
                cluster.is_ready(lab).map(|ready| ready.then_some(()))
            })?;
            for condition in [
                ["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"],
                ["wait", "--for=create", "serviceaccount/default", "--timeout=120s", "--namespace=default"],
            ] {
                run(cluster.kubectl(lab).args(condition), READY + Duration::from_secs(10))?;
            }
            Ok(cluster)
        })
    }

    /// `kubectl` inside the node, as an administrator whom no access entry names.
    pub fn kubectl(&self, lab: &Lab) -> Command {
        let mut command = self.inside(lab);
        command.arg("kubectl");
        command
    }

    /// What comes after this is run inside the node.
    pub fn inside(&self, lab: &Lab) -> Command {
        let mut command = lab.engine().docker();
        command.args(["exec", "--interactive", &container(&self.name)]);
        command
    }

    /// Deletes the cluster and its node.
    pub fn delete(&self, lab: &Lab) -> Result<()> {
        lab.root()
            .rest("eks", "DELETE", &format!("/clusters/{}", self.name), &serde_json::Value::Null)
            .map(drop)
    }

    /// The cluster once it is active, and only if it is no mere record.
    fn look(lab: &Lab, name: &str) -> Result<Option<Self>> {
        let answer = lab.root().rest("eks", "GET", &format!("/clusters/{name}"), &serde_json::Value::Null)?;
        let text = |pointer: &str| {
            answer.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        if text("/cluster/status") != "ACTIVE" {
            return Ok(None);
        }
        let ca = text("/cluster/certificateAuthority/data");
        let pem =
            base64::engine::general_purpose::STANDARD.decode(&ca).context("the cluster's CA is no base64")?;
        let real = pem.starts_with(b"-----BEGIN CERTIFICATE-----");
        ensure!(real, "cluster {name} is ACTIVE and has no CA: its node did not start\n{}", logs(lab, name));
        Ok(Some(Self { name: name.to_owned(), endpoint: text("/cluster/endpoint"), ca }))
    }

    fn is_ready(&self, lab: &Lab) -> Result<bool> {
        let format = "{{.State.Running}}";
        let running = lab.engine().ask(&["inspect", "--format", format, &container(&self.name)])?;
        if running != "true" {
            bail!("the node of cluster {} ended\n{}", self.name, logs(lab, &self.name));
        }
        let ready = run(self.kubectl(lab).args(["get", "nodes", "--output=name"]), READY);
        Ok(ready.is_ok_and(|nodes| !nodes.trim().is_empty()))
    }
}

/// The name MiniStack gives a node. It holds no port: two labs on one engine need clusters of different names.
fn container(cluster: &str) -> String {
    format!("ministack-eks-{ACCOUNT}-{REGION}-{cluster}")
}

fn logs(lab: &Lab, cluster: &str) -> String {
    let mut command = lab.engine().docker();
    command.args(["logs", "--tail", "20", &container(cluster)]);
    run(&mut command, READY).unwrap_or_else(|error| error.to_string())
}
