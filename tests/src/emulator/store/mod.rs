//! What the registries have: repositories, images, blobs and settings. Plain data; nothing here knows HTTP.

pub(super) mod blob;
mod image;
mod mutability;
mod repository;

use std::collections::BTreeMap;
use std::time::SystemTime;

pub(super) use image::Manifest;
pub(super) use mutability::matches;
pub(super) use repository::{Incoming, Preview, Repository, resource_tags};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::ecr::Scope;

/// The names of configurations that ECR acts by on its own.
pub(super) const REPLICATION: &str = "replicationConfiguration";
pub(super) const SIGNING: &str = "signingConfiguration";

/// One private registry: an account in a region.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) scope: Scope,
    pub(super) repositories: BTreeMap<String, Repository>,
    /// `BLOB_MOUNTING` and the like, by name.
    pub(super) account_settings: BTreeMap<String, String>,
    /// Configurations of the registry as a whole, each the document that was put.
    pub(super) documents: BTreeMap<&'static str, Value>,
    /// Since when those are as they are that matter to what is pushed after.
    pub(super) since: BTreeMap<&'static str, SystemTime>,
    /// Repository creation templates by prefix.
    pub(super) templates: BTreeMap<String, Map<String, Value>>,
    /// Pull-through rules by the prefix of their repositories.
    pub(super) pull_through: BTreeMap<String, Value>,
}

impl Registry {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            repositories: BTreeMap::new(),
            account_settings: BTreeMap::new(),
            documents: BTreeMap::new(),
            since: BTreeMap::new(),
            templates: BTreeMap::new(),
            pull_through: BTreeMap::new(),
        }
    }

    pub(super) fn repository(&self, name: &str) -> Result<&Repository, Refusal> {
        self.repositories.get(name).ok_or_else(|| Refusal::no_repository(name, &self.scope))
    }

    pub(super) fn repository_mut(&mut self, name: &str) -> Result<&mut Repository, Refusal> {
        let missing = || Refusal::no_repository(name, &self.scope);
        self.repositories.get_mut(name).ok_or_else(missing)
    }

    /// Makes a repository with these settings of `CreateRepository`.
    pub(super) fn create(
        &mut self,
        name: &str,
        settings: &Value,
        now: SystemTime,
    ) -> Result<&mut Repository, Refusal> {
        if self.repositories.contains_key(name) {
            return Err(Refusal::repository_exists(name, &self.scope));
        }
        let repository = Repository::new(self.scope.clone(), name, settings, now)?;
        Ok(self.repositories.entry(name.to_owned()).or_insert(repository))
    }

    /// The repository that a push finds: one that is there, or that a template makes.
    pub(super) fn for_push(&mut self, name: &str, now: SystemTime) -> Result<&mut Repository, Refusal> {
        if !self.repositories.contains_key(name)
            && let Some(template) = self.template_for(name, "CREATE_ON_PUSH")
        {
            let settings = Value::Object(template.clone());
            self.create(name, &settings, now)?;
        }
        self.repository_mut(name)
    }

    /// The repository that a copy from another registry finds: one that is there, or that is made by a template or
    /// with ECR's defaults.
    pub(super) fn for_copy(&mut self, name: &str, now: SystemTime) -> Result<&mut Repository, Refusal> {
        if !self.repositories.contains_key(name) {
            let template = self.template_for(name, "REPLICATION").cloned();
            self.create(name, &Value::Object(template.unwrap_or_default()), now)?;
        }
        self.repository_mut(name)
    }

    /// A configuration, and since when it is so.
    pub(super) fn configured(&self, name: &'static str) -> Option<(Value, SystemTime)> {
        Some((self.documents.get(name)?.clone(), *self.since.get(name)?))
    }

    /// The template with the longest prefix that fits, or the one named `ROOT`.
    fn template_for(&self, name: &str, occasion: &str) -> Option<&Map<String, Value>> {
        let fits = |prefix: &str| {
            prefix == "ROOT" || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
        };
        let creates = |template: &Map<String, Value>| {
            let reasons = template.get("appliedFor").and_then(Value::as_array);
            reasons.is_some_and(|reasons| reasons.iter().any(|reason| reason == occasion))
        };
        let rank = |prefix: &str| if prefix == "ROOT" { 0 } else { prefix.len() };
        let fitting = self.templates.iter().filter(|(prefix, template)| fits(prefix) && creates(template));
        fitting.max_by_key(|(prefix, _)| rank(prefix)).map(|(_, template)| template)
    }

    /// Whether a repository holds what a pull-through rule brought.
    fn is_cache(&self, name: &str) -> bool {
        let mut prefixes = self.pull_through.keys();
        prefixes.any(|prefix| name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Takes a blob over from another repository, where ECR does that: the account allows it, both are encrypted alike,
    /// an image of the source has the blob, and neither holds what a pull-through rule brought.
    pub(super) fn mount(&mut self, digest: &str, from: &str, to: &str) -> bool {
        let allowed = self.account_settings.get("BLOB_MOUNTING").is_some_and(|value| value == "ENABLED");
        let (Some(source), Some(target)) = (self.repositories.get(from), self.repositories.get(to)) else {
            return false;
        };
        let alike = source.settings["encryptionConfiguration"] == target.settings["encryptionConfiguration"];
        let Some(blob) = source.blobs.get(digest).cloned() else { return false };
        let cached = self.is_cache(from) || self.is_cache(to);
        let mounts = allowed && alike && !cached && source.is_used(digest);
        if mounts && let Some(target) = self.repositories.get_mut(to) {
            target.blobs.insert(digest.to_owned(), blob);
        }
        mounts
    }
}
