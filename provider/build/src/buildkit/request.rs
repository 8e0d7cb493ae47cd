//! What BuildKit is asked for, worked out from a recipe: the frontend's attributes, the exporter, the caches.

use std::collections::HashMap;

use bollard_buildkit_proto::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry, Exporter, SolveRequest};
use ecr_registry::{Digest, Platform, Reference, Repository};
use serde_json::json;

use super::{
    bases::{Base, Bases},
    content::STORE,
};
use crate::{
    context::DockerfileContext,
    named::Named,
    options::{Attestations, BuildCache, BuildOptions, CacheMode, NamedContext, Network, RegistryCache},
    recipe::{DockerfileRecipe, Recipe},
};

/// What BuildKit calls the folder of the cache on this machine.
const FOLDER: &str = "cache";

/// Where the image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Output {
    /// Into the store of Docker's daemon.
    Store,
    /// To this program, as `docker save` would write it.
    Archive,
    /// To this program, in the OCI layout, with what is said about the image beside it.
    Layout,
    /// Into a repository, by its digest.
    Push(Repository),
}

/// All that decides about a build, without where it is built.
pub(super) struct Wanted<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) dockerfile: &'a DockerfileRecipe,
    pub(super) platform: &'a Platform,
    pub(super) context: &'a DockerfileContext,
    pub(super) bases: Bases,
    pub(super) output: Output,
    /// What a cache on this machine has.
    pub(super) kept: Option<Digest>,
}

impl Wanted<'_> {
    pub(super) fn request(&self, reference: &str, session: &str) -> SolveRequest {
        let (exporter, cache) = (self.exporter(), self.cache());
        let mut frontend_attrs = self.attributes();
        frontend_attrs.extend(imported(&cache.imports));
        let host = self.dockerfile.options.network == Network::Host;
        SolveRequest {
            r#ref: reference.to_owned(),
            session: session.to_owned(),
            frontend: "dockerfile.v0".to_owned(),
            frontend_attrs,
            exporter_deprecated: exporter.r#type.clone(),
            exporter_attrs_deprecated: exporter.attrs.clone(),
            exporters: vec![exporter],
            cache: Some(cache),
            entitlements: host.then(|| "network.host".to_owned()).into_iter().collect(),
            ..SolveRequest::default()
        }
    }

    /// What the frontend is told.
    pub(super) fn attributes(&self) -> HashMap<String, String> {
        let (recipe, dockerfile) = (self.recipe, self.dockerfile);
        let mut attributes: HashMap<_, _> = [
            ("filename".to_owned(), self.context.dockerfile.file_name().to_owned()),
            ("platform".to_owned(), self.platform.to_string()),
            ("build-arg:SOURCE_DATE_EPOCH".to_owned(), recipe.source_date_epoch.to_string()),
        ]
        .into();
        let named = |kind: &'static str| {
            move |(name, value): (&String, &String)| (format!("{kind}:{name}"), value.clone())
        };
        attributes.extend(self.context.args(dockerfile).map(named("build-arg")));
        attributes.extend(recipe.labels.iter().map(named("label")));
        attributes.extend(dockerfile.target.iter().map(|target| ("target".to_owned(), target.clone())));
        attributes.extend(self.contexts());
        attributes.extend(options(&dockerfile.options));
        attributes.extend(attestations(dockerfile.attestations));
        attributes
    }

    fn contexts(&self) -> impl Iterator<Item = (String, String)> {
        let given = self.dockerfile.contexts.iter().map(|(name, context)| {
            let source = match (context, self.context.named.get(name)) {
                (_, Some(Named::Layout(_, root))) => format!("oci-layout://{STORE}@{}", root.digest),
                (NamedContext::Image(image), _) => format!("docker-image://{image}"),
                (NamedContext::Remote(text), _) => text.clone(),
                (NamedContext::Local(_) | NamedContext::OciLayout(_), _) => format!("local:{}", folder(name)),
            };
            (format!("context:{}", familiar(name)), source)
        });
        let bases = self.bases.0.iter().map(|(name, base)| {
            let source = match base {
                Base::Pinned(image) => format!("docker-image://{image}"),
                Base::Here(digest) => format!("oci-layout://{STORE}@{digest}"),
            };
            (format!("context:{}", familiar(name)), source)
        });
        given.chain(bases)
    }

    fn exporter(&self) -> Exporter {
        let recipe = self.recipe;
        let epoch = ("source-date-epoch".to_owned(), recipe.source_date_epoch.to_string());
        let on = |name: &str| (name.to_owned(), "true".to_owned());
        let whole = || {
            let compression = ("compression".to_owned(), recipe.compression.to_string());
            let annotation =
                |(name, value): (&String, &String)| (format!("annotation.{name}"), value.clone());
            let fixed = [compression, epoch.clone(), on("oci-mediatypes"), on("rewrite-timestamp")];
            fixed.into_iter().chain(recipe.annotations.iter().map(annotation)).collect::<HashMap<_, _>>()
        };
        let (kind, attrs) = match &self.output {
            // The name of the exporter that Docker's own BuildKit has for its image store, for old and new daemons.
            Output::Store => ("moby", HashMap::new()),
            // What comes is written anew, so it need not be compressed twice.
            Output::Archive => {
                ("docker", HashMap::from([("compression".to_owned(), "uncompressed".to_owned())]))
            }
            Output::Layout => ("oci", whole()),
            Output::Push(repository) => {
                let mut attrs = whole();
                attrs.extend([("name".to_owned(), repository.to_string()), on("push"), on("push-by-digest")]);
                ("image", attrs)
            }
        };
        Exporter { r#type: kind.to_owned(), attrs }
    }

    /// Docker's daemon reads caches and writes none.
    fn cache(&self) -> CacheOptions {
        let BuildCache { registry, local } = &self.dockerfile.options.cache;
        let name = |cache: &RegistryCache| ("ref", cache.reference.to_string());
        let kept = self
            .kept
            .iter()
            .map(|kept| entry("local", [("src", FOLDER.to_owned()), ("digest", kept.to_string())]));
        let imports = registry.iter().map(|cache| entry("registry", [name(cache)])).chain(kept);
        let exports = registry.iter().map(|cache| export("registry", name(cache), cache.mode));
        let local = local.iter().map(|_| export("local", ("dest", FOLDER.to_owned()), CacheMode::Max));
        let exports = exports.chain(local).filter(|_| self.output != Output::Store);
        CacheOptions { imports: imports.collect(), exports: exports.collect(), ..CacheOptions::default() }
    }
}

fn entry<const N: usize>(kind: &str, attrs: [(&str, String); N]) -> CacheOptionsEntry {
    let attrs = attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    CacheOptionsEntry { r#type: kind.to_owned(), attrs }
}

fn export(kind: &str, to: (&str, String), mode: CacheMode) -> CacheOptionsEntry {
    let yes = || "true".to_owned();
    // ECR takes a cache as an image and not as an index.
    let manifest = ("image-manifest", yes());
    entry(
        kind,
        [to, ("mode", mode.to_string()), manifest, ("oci-mediatypes", yes()), ("ignore-error", yes())],
    )
}

/// The caches that are read, as the frontend is told: it is the one that reads them.
fn imported(imports: &[CacheOptionsEntry]) -> Option<(String, String)> {
    let entry = |entry: &CacheOptionsEntry| json!({ "Type": entry.r#type, "Attrs": entry.attrs });
    let entries: Vec<_> = imports.iter().map(entry).collect();
    (!entries.is_empty()).then(|| ("cache-imports".to_owned(), json!(entries).to_string()))
}

/// What BuildKit calls the folder of a named context.
pub(super) fn folder(name: &str) -> String {
    format!("named-{name}")
}

/// A name as the frontend looks for it: the short form of an image's, without `:latest`.
fn familiar(name: &str) -> String {
    let Ok(reference) = name.parse::<Reference>() else { return name.to_owned() };
    let whole = reference.to_string();
    let short = whole.strip_prefix("docker.io/library/").or_else(|| whole.strip_prefix("docker.io/"));
    let short = short.unwrap_or(&whole);
    short.strip_suffix(":latest").unwrap_or(short).to_owned()
}

fn options(options: &BuildOptions) -> impl Iterator<Item = (String, String)> {
    let hosts: Vec<String> =
        options.extra_hosts.iter().map(|(name, address)| format!("{name}={address}")).collect();
    let hosts = (!hosts.is_empty()).then(|| ("add-hosts", hosts.join(",")));
    let network = match options.network {
        Network::Default => None,
        other => Some(("force-network-mode", other.to_string())),
    };
    let no_cache = options.no_cache.then(|| ("no-cache", String::new()));
    [hosts, network, no_cache].into_iter().flatten().map(|(name, value)| (name.to_owned(), value))
}

fn attestations(wanted: Attestations) -> impl Iterator<Item = (String, String)> {
    let provenance = wanted.provenance.map(|mode| ("attest:provenance", format!("mode={mode}")));
    let sbom = wanted.sbom.then(|| ("attest:sbom", String::new()));
    provenance.into_iter().chain(sbom).map(|(name, value)| (name.to_owned(), value))
}

#[cfg(test)]
mod tests;
