//! Reads how BuildKit is to build a Dockerfile.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

use ecr_registry::{Reference, Repository, Secret};
use image_build::{
    Attestations, BuildCache, BuildOptions, CacheMode, NamedContext, Provenance, RegistryCache,
};
use tfplugin_rs::{Diagnostic, View};

use super::{Settled, reader::Reader};
use crate::report::at;

/// What is said of an agent for which no socket is written.
const AGENT: &str = "SSH_AUTH_SOCK";

impl Reader {
    /// Content beside the context folder.
    pub(super) fn contexts(&mut self, view: &View<'_>) -> Settled<BTreeMap<String, NamedContext>> {
        if view.value().is_unknown() {
            return None;
        }
        let entries = self.problems.collect(view.entries())?;
        let parsed = entries.iter().map(|(name, entry)| {
            let context = self.parse::<NamedContext>(entry)??;
            Some(((*name).to_owned(), context))
        });
        parsed.collect::<Vec<_>>().into_iter().collect()
    }

    /// What is said about the image beside it.
    pub(super) fn attestations(&mut self, view: &View<'_>) -> Settled<Attestations> {
        let provenance = match view.get("provenance").value().as_str() {
            Some("off") => Some(None),
            _ => self.parse::<Provenance>(&view.get("provenance")),
        };
        let sbom = self.read::<Option<bool>>(&view.get("sbom"));
        Some(Attestations { provenance: provenance?, sbom: sbom?.unwrap_or_default() })
    }

    /// How it is built; what is not known yet counts as not written, since none of it is hashed.
    pub(super) fn options(&mut self, view: &View<'_>) -> BuildOptions {
        BuildOptions {
            secrets: self.secrets(&view.get("secrets_wo")),
            ssh: self.agents(&view.get("ssh")),
            network: self.parse(&view.get("network")).flatten().unwrap_or_default(),
            extra_hosts: self.hosts(&view.get("extra_hosts")),
            no_cache: self.read::<Option<bool>>(&view.get("no_cache")).flatten().unwrap_or_default(),
            cache: self.cache(&view.get("cache")),
            engine: self.parse(&view.get("builder")).flatten(),
        }
    }

    fn secrets(&mut self, view: &View<'_>) -> BTreeMap<String, Secret> {
        let secrets = self.map(view).unwrap_or_default();
        secrets.into_iter().map(|(id, secret)| (id, Secret::new(secret))).collect()
    }

    fn agents(&mut self, view: &View<'_>) -> BTreeMap<String, PathBuf> {
        let written = self.read::<Option<Vec<String>>>(view).flatten().unwrap_or_default();
        let socket = |text: String| match text.split_once('=') {
            Some((id, path)) => Some((id.to_owned(), PathBuf::from(path))),
            None => Some((text, std::env::var_os(AGENT)?.into())),
        };
        written.into_iter().filter_map(socket).collect()
    }

    fn hosts(&mut self, view: &View<'_>) -> BTreeMap<String, IpAddr> {
        let hosts = self.map(view).unwrap_or_default();
        let parsed = hosts.into_iter().filter_map(|(name, text)| {
            let error = |_| {
                let summary = format!("`{text}` is not an IP address");
                at(
                    Diagnostic::error(summary, "Write the address that the name stands for."),
                    view.path().clone(),
                )
            };
            Some((name, self.problems.collect(text.parse::<IpAddr>().map_err(error))?))
        });
        parsed.collect()
    }

    fn cache(&mut self, view: &View<'_>) -> BuildCache {
        let ecr = view.get("ecr");
        let repository = self.parse::<Repository>(&ecr.get("repository")).flatten();
        let mode = self.parse::<CacheMode>(&ecr.get("mode")).flatten().unwrap_or_default();
        let registry = view.get("registry");
        let others =
            if registry.value().is_unknown() { None } else { self.problems.collect(registry.elements()) };
        let others: Vec<RegistryCache> = others
            .unwrap_or_default()
            .iter()
            .filter_map(|element| {
                let reference = self.parse::<Reference>(&element.get("ref")).flatten();
                let mode = self.parse::<CacheMode>(&element.get("mode")).flatten().unwrap_or_default();
                Some(RegistryCache { reference: reference?, mode })
            })
            .collect();
        let ecr = repository.map(|repository| RegistryCache::ecr(repository, mode));
        let local = view.get("local").value().as_str().map(PathBuf::from);
        BuildCache { registry: ecr.into_iter().chain(others).collect(), local }
    }
}
