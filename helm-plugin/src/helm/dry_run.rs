//! What `helm upgrade --install --dry-run=server -o json` says: the values, the chart, the manifests.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{exit::Exit, failure::Explain};

/// A release as a dry run shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct DryRun {
    /// The user's values, merged, nulls kept.
    #[serde(default = "empty", deserialize_with = "null_is_empty")]
    pub(crate) config: Value,
    /// The chart.
    pub(crate) chart: Chart,
    /// What would be applied, as YAML documents.
    #[serde(default)]
    pub(crate) manifest: String,
    /// What would be run around it.
    #[serde(default)]
    pub(crate) hooks: Vec<Hook>,
    /// The revision that the deployment would make.
    #[serde(rename = "version")]
    pub(crate) revision: u64,
}

/// The chart of a release, with the values of its subcharts in its own.
#[derive(Debug, Deserialize)]
pub(crate) struct Chart {
    /// What it says about itself.
    pub(crate) metadata: Metadata,
    /// Its own values.
    #[serde(default = "empty", deserialize_with = "null_is_empty")]
    pub(crate) values: Value,
}

/// What a chart says about itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The version of what it deploys: the usual default of tags.
    #[serde(default)]
    pub(crate) app_version: String,
}

/// A hook of a release.
#[derive(Debug, Deserialize)]
pub(crate) struct Hook {
    /// When it runs: `pre-upgrade`, `test`, …
    #[serde(default)]
    pub(crate) events: Vec<String>,
    /// What runs, as YAML.
    #[serde(default)]
    pub(crate) manifest: String,
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Ok(Option::<Map<String, Value>>::deserialize(deserializer)?.map_or_else(empty, Value::Object))
}

/// Helm said something else.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what `helm upgrade --dry-run=server -o json` printed")]
pub(crate) struct DryRunError(#[source] serde_json::Error);

impl Explain for DryRunError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }
}

impl DryRun {
    /// Reads what Helm printed.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, DryRunError> {
        serde_json::from_slice(json).map_err(DryRunError)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_both_lines_of_helm() {
        let helm4 = json!({
            "name": "web", "version": 3, "namespace": "shop", "apply_method": "ssa",
            "info": {"status": "pending-upgrade"},
            "config": {"a": null, "n": 1_000_000},
            "chart": {
                "metadata": {"name": "web", "version": "0.1.0", "appVersion": "1.16.0", "apiVersion": "v2"},
                "lock": null, "templates": [], "values": {"image": {"tag": ""}}, "schema": null,
            },
            "manifest": "---\n",
            "hooks": [{"name": "t", "kind": "Pod", "path": "t.yaml", "manifest": "kind: Pod", "events": ["test"]}],
        });
        let dry_run = DryRun::parse(helm4.to_string().as_bytes()).unwrap();
        assert_eq!((dry_run.revision, dry_run.chart.metadata.app_version.as_str()), (3, "1.16.0"));
        assert_eq!(dry_run.config, json!({"a": null, "n": 1_000_000}));
        assert_eq!(dry_run.hooks[0].events, ["test"]);

        let bare = br#"{"version":1,"chart":{"metadata":{"name":"c","version":"1"},"values":null}}"#;
        let dry_run = DryRun::parse(bare).unwrap();
        assert_eq!((dry_run.config, dry_run.chart.values), (json!({}), json!({})));
        assert!(DryRun::parse(b"Release does not exist").is_err());
    }
}
