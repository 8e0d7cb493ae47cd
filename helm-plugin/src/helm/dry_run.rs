//! What `helm upgrade --install --dry-run=server -o json` says: the values, the chart, the manifests.

use ecr_registry::Digest;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::session::Printed;
use crate::{exit::Exit, failure::Explain};

/// A release as a dry run shows it.
#[derive(Debug, Clone, Deserialize)]
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
    /// `ssa` if the server applies the release; Helm 3 does not say.
    #[serde(default)]
    pub(crate) apply_method: Option<String>,
    /// The digest of the chart, which Helm tells of one that it pulled from a registry and of no other: the index of a
    /// repository may have it, and Helm keeps it to itself.
    #[serde(skip)]
    pub(crate) chart_digest: Option<Digest>,
}

/// The chart of a release, with the values of its subcharts in its own.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Chart {
    /// What it says about itself.
    pub(crate) metadata: Metadata,
    /// Its own values.
    #[serde(default = "empty", deserialize_with = "null_is_empty")]
    pub(crate) values: Value,
}

/// What a chart says about itself.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
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
    /// Reads what Helm printed. What it says of a pull stands before the JSON in Helm 4, and on stderr in Helm 3.
    pub(crate) fn parse(printed: &Printed) -> Result<Self, DryRunError> {
        let start = printed.stdout.iter().position(|byte| *byte == b'{').unwrap_or(0);
        let (before, json) = printed.stdout.split_at(start);
        let mut dry_run: Self = serde_json::from_slice(json).map_err(DryRunError)?;
        dry_run.chart_digest = digest(before).or_else(|| digest(&printed.stderr));
        Ok(dry_run)
    }
}

fn digest(text: &[u8]) -> Option<Digest> {
    let text = String::from_utf8_lossy(text);
    text.lines().find_map(|line| line.strip_prefix("Digest: ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(stdout: &str, stderr: &str) -> Result<DryRun, DryRunError> {
        DryRun::parse(&Printed { stdout: stdout.into(), stderr: stderr.into() })
    }

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
        let dry_run = parse(&helm4.to_string(), "").unwrap();
        assert_eq!((dry_run.revision, dry_run.chart.metadata.app_version.as_str()), (3, "1.16.0"));
        assert_eq!(dry_run.config, json!({"a": null, "n": 1_000_000}));
        assert_eq!(dry_run.hooks[0].events, ["test"]);

        let bare = r#"{"version":1,"chart":{"metadata":{"name":"c","version":"1"},"values":null}}"#;
        let dry_run = parse(bare, "").unwrap();
        assert_eq!((dry_run.config, dry_run.chart.values), (json!({}), json!({})));
        assert!(parse("Release does not exist", "").is_err());

        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let pulled = format!("Pulled: r.example/c:1\nDigest: {digest}\n");
        for (stdout, stderr) in [(format!("{pulled}{bare}"), ""), (bare.to_owned(), pulled.as_str())] {
            assert_eq!(parse(&stdout, stderr).unwrap().chart_digest.unwrap().to_string(), digest);
        }
        assert_eq!(parse(bare, "Digest: none").unwrap().chart_digest, None);
    }
}
