//! What the cluster runs, compared with what Terraform built. Pure: takes what `kubectl` and `terraform` printed.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// What `terraform output -json` tells.
#[derive(Debug, Deserialize)]
pub(super) struct Outputs {
    pub(super) api_image: Output<String>,
    pub(super) site_image: Output<String>,
    pub(super) cluster: Output<Cluster>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Output<T> {
    pub(super) value: T,
}

/// The output `cluster` of the eks module.
#[derive(Debug, Deserialize)]
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) region: String,
    /// URL of the API server.
    pub(super) endpoint: String,
    /// Its certificate authority: PEM in base64.
    pub(super) ca: String,
}

/// The objects of `kubectl get pods -o json`.
#[derive(Debug, Deserialize)]
pub(super) struct Pods {
    items: Vec<Pod>,
}

#[derive(Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    deletion_timestamp: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    container_statuses: Vec<Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    #[serde(rename = "imageID")]
    image_id: String,
}

impl Pods {
    /// The digest that the component's pods run, as the node tells it. Pods that are on their way out do not count.
    ///
    /// # Errors
    /// When there is no pod, or one of them runs another image than `built`.
    pub(super) fn digest_of(&self, component: &str, built: &str) -> Result<String> {
        let wanted = digest(built)
            .with_context(|| format!("terraform's {component} image `{built}` has no digest"))?;
        let mut images = self.running(component).peekable();
        ensure!(images.peek().is_some(), "no pod runs the {component}");
        for (pod, image) in images {
            if digest(image) != Some(wanted) {
                bail!("pod {pod} runs `{image}`, and terraform built `{built}`");
            }
        }
        Ok(wanted.to_owned())
    }

    /// Whether a pod of this name runs the component.
    pub(super) fn has(&self, component: &str, name: &str) -> bool {
        self.running(component).any(|(pod, _)| pod == name)
    }

    /// Name and image of each container of the component.
    fn running(&self, component: &str) -> impl Iterator<Item = (&str, &str)> {
        self.items.iter().filter(move |pod| pod.is_of(component)).flat_map(|pod| {
            pod.status.container_statuses.iter().map(|container| (&*pod.metadata.name, &*container.image_id))
        })
    }
}

impl Pod {
    fn is_of(&self, component: &str) -> bool {
        let label = self.metadata.labels.get("app.kubernetes.io/component");
        self.metadata.deletion_timestamp.is_none() && label.is_some_and(|label| label == component)
    }
}

/// `sha256:…` of `repository@sha256:…`.
fn digest(image: &str) -> Option<&str> {
    image.rsplit_once('@').map(|(_, digest)| digest).filter(|digest| digest.starts_with("sha256:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, image: &str, leaving: bool) -> serde_json::Value {
        let leaving = leaving.then_some("2026-01-02T03:04:05Z");
        let labels = json!({ "app.kubernetes.io/component": "api" });
        json!({
            "metadata": { "name": name, "labels": labels, "deletionTimestamp": leaving },
            "status": { "containerStatuses": [{ "imageID": image }] },
        })
    }

    fn check(pods: &[serde_json::Value], built: &str, expected: &str) {
        let pods: Pods = serde_json::from_value(json!({ "items": pods })).unwrap();
        let found = pods.digest_of("api", built).unwrap_or_else(|error| error.to_string());
        assert_eq!(found, expected);
    }

    #[test]
    fn every_pod_runs_what_was_built() {
        let (old, new) = ("ecr/api@sha256:01d", "ecr/api@sha256:9e3");
        check(&[pod("a", new, false), pod("b", new, false)], new, "sha256:9e3");
        check(&[pod("a", old, true), pod("b", new, false)], new, "sha256:9e3");
        check(
            &[pod("a", new, false), pod("b", old, false)],
            new,
            "pod b runs `ecr/api@sha256:01d`, and terraform built `ecr/api@sha256:9e3`",
        );
        check(&[pod("a", old, true)], new, "no pod runs the api");
        check(&[pod("a", new, false)], "ecr/api:v1", "terraform's api image `ecr/api:v1` has no digest");
        check(
            &[pod("a", "ecr/api:v1", false)],
            new,
            "pod a runs `ecr/api:v1`, and terraform built `ecr/api@sha256:9e3`",
        );
    }
}
