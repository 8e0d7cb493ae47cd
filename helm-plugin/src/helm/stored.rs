//! A revision of a release as Helm keeps it.

use serde::Deserialize;

use super::dry_run::Hook;
use crate::images::uses::{self, Rendered};

/// One revision.
#[derive(Debug, Deserialize)]
pub(crate) struct Stored {
    /// Its number.
    #[serde(rename = "version")]
    pub(crate) revision: u64,
    /// How it is.
    pub(crate) info: Info,
    /// What was applied, as YAML documents.
    #[serde(default)]
    manifest: String,
    /// What was run around it.
    #[serde(default)]
    hooks: Vec<Hook>,
}

/// How a revision is.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    /// Helm's word: `deployed`, `failed`, `pending-upgrade`, …
    pub(crate) status: String,
    /// Helm's remark.
    #[serde(default)]
    pub(crate) description: String,
    /// When Helm last changed it.
    #[serde(default)]
    pub(crate) last_deployed: String,
}

impl Stored {
    /// Its objects, hooks included.
    pub(crate) fn objects(&self) -> Result<Vec<Rendered>, serde_yaml_ng::Error> {
        uses::objects(&self.manifest, &self.hooks)
    }
}
