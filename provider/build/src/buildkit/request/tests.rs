use std::collections::BTreeMap;

use super::*;
use crate::{
    Cache,
    options::{CacheMode, Provenance, RegistryCache},
    recipe::How,
};

/// What BuildKit is asked for a Dockerfile, with some things of the recipe changed.
fn asked(
    output: Output,
    bases: Vec<(String, Base)>,
    change: impl FnOnce(&mut Recipe, &mut DockerfileRecipe),
) -> SolveRequest {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), "FROM debian:12\nARG A\nRUN x\n").unwrap();
    let mut dockerfile =
        DockerfileRecipe { context: folder.path().to_owned(), ..DockerfileRecipe::default() };
    let mut recipe =
        Recipe { source_date_epoch: 7, ..Recipe::of(How::Dockerfile(DockerfileRecipe::default())) };
    change(&mut recipe, &mut dockerfile);
    let context = DockerfileContext::read(&recipe, &dockerfile, &Cache::none()).unwrap();
    let platform = &recipe.platforms[0];
    let wanted = Wanted {
        recipe: &recipe,
        dockerfile: &dockerfile,
        platform,
        context: &context,
        bases: Bases(bases),
        output,
        kept: Some(ecr_registry::Digest::of(b"cache")).filter(|_| dockerfile.options.cache.local.is_some()),
    };
    wanted.request("ref", "session")
}

/// The attributes that begin with one of these.
fn attributes(request: &SolveRequest, starts: &[&str]) -> Vec<String> {
    let named =
        request.frontend_attrs.iter().filter(|(name, _)| starts.iter().any(|start| name.starts_with(start)));
    let mut lines: Vec<String> = named.map(|(name, value)| format!("{name}={value}")).collect();
    lines.sort();
    lines
}

#[test]
fn asks_for_little_unless_told() {
    let plain = asked(Output::Archive, Vec::new(), |_, _| {});
    let expected = ["build-arg:SOURCE_DATE_EPOCH=7", "filename=Dockerfile", "platform=linux/amd64"];
    assert_eq!(attributes(&plain, &[""]), expected);
    assert!(plain.entitlements.is_empty() && plain.cache.unwrap() == CacheOptions::default());
    assert_eq!(
        plain.exporters[0].attrs,
        HashMap::from([("compression".to_owned(), "uncompressed".to_owned())])
    );
}

#[test]
fn says_all_that_is_asked_for() {
    let request = asked(Output::Archive, Vec::new(), |recipe, dockerfile| {
        recipe.labels = [("l".to_owned(), "1".to_owned())].into();
        dockerfile.target = None;
        dockerfile.args = [("A".to_owned(), "a".to_owned()), ("B".to_owned(), "b".to_owned())].into();
        dockerfile.attestations = Attestations { provenance: Some(Provenance::Max), sbom: true };
        dockerfile.options.no_cache = true;
        dockerfile.options.network = Network::Host;
        dockerfile.options.extra_hosts =
            [("a".to_owned(), [10, 0, 0, 1].into()), ("b".to_owned(), [10, 0, 0, 2].into())].into();
    });
    let starts = ["label", "build-arg:A", "build-arg:B", "attest", "no-cache", "force", "add-hosts"];
    let expected = [
        "add-hosts=a=10.0.0.1,b=10.0.0.2",
        "attest:provenance=mode=max",
        "attest:sbom=",
        "build-arg:A=a",
        "force-network-mode=host",
        "label:l=1",
        "no-cache=",
    ];
    assert_eq!(attributes(&request, &starts), expected);
    assert_eq!(request.entitlements, ["network.host"]);
}

#[test]
fn contexts_and_bases_go_by_the_names_that_the_frontend_looks_for() {
    let digest = ecr_registry::Digest::of(b"base");
    let pinned: Reference = format!("debian:12@{digest}").parse().unwrap();
    let bases = vec![
        ("docker.io/library/debian:12".to_owned(), Base::Pinned(pinned)),
        ("example.com/base:latest".to_owned(), Base::Here(digest)),
    ];
    let request = asked(Output::Archive, bases, |_, dockerfile| {
        let contexts = [("web", "docker-image://nginx:1"), ("src", "https://example.com/a.git#v1")];
        dockerfile.contexts =
            contexts.map(|(name, text)| (name.to_owned(), text.parse::<NamedContext>().unwrap())).into();
    });
    let expected = [
        format!("context:debian:12=docker-image://docker.io/library/debian:12@{digest}"),
        format!("context:example.com/base=oci-layout://images@{digest}"),
        "context:src=https://example.com/a.git#v1".to_owned(),
        "context:web=docker-image://docker.io/library/nginx:1".to_owned(),
    ];
    assert_eq!(attributes(&request, &["context:"]), expected);
}

#[test]
fn caches_are_written_as_ecr_takes_them_and_never_fail_a_build() {
    let cached = |output| {
        let request = asked(output, Vec::new(), |_, dockerfile| {
            let repository = "example.com/cache".parse().unwrap();
            dockerfile.options.cache.registry = vec![RegistryCache::ecr(repository, CacheMode::Max)];
        });
        request.cache.unwrap()
    };
    let cache = cached(Output::Archive);
    assert_eq!(cache.imports[0].attrs["ref"], "example.com/cache:buildcache");
    let export: BTreeMap<_, _> = cache.exports[0].attrs.clone().into_iter().collect();
    let text: Vec<String> = export.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = [
        "ignore-error=true",
        "image-manifest=true",
        "mode=max",
        "oci-mediatypes=true",
        "ref=example.com/cache:buildcache",
    ];
    assert_eq!(text, expected);
    let of_docker = cached(Output::Store);
    assert_eq!((of_docker.imports.len(), of_docker.exports.len()), (1, 0));
}

/// BuildKit's own client says it twice: the frontend reads what it is told itself.
#[test]
fn the_frontend_is_told_of_caches() {
    let request = asked(Output::Archive, Vec::new(), |_, dockerfile| {
        let cache = &mut dockerfile.options.cache;
        cache.registry = vec![RegistryCache::ecr("example.com/cache".parse().unwrap(), CacheMode::Min)];
        cache.local = Some("/home/ada/steps".into());
    });
    let kept = ecr_registry::Digest::of(b"cache");
    let told: serde_json::Value = serde_json::from_str(&request.frontend_attrs["cache-imports"]).unwrap();
    let expected = serde_json::json!([
        { "Type": "registry", "Attrs": { "ref": "example.com/cache:buildcache" } },
        { "Type": "local", "Attrs": { "src": "cache", "digest": kept.to_string() } },
    ]);
    assert_eq!(told, expected);
    let cache = request.cache.unwrap();
    assert_eq!((cache.imports.len(), cache.exports.len()), (2, 2));
    assert_eq!(
        (cache.exports[1].r#type.as_str(), cache.exports[1].attrs["dest"].as_str()),
        ("local", "cache")
    );
}

#[test]
fn a_far_builder_pushes_by_digest() {
    let repository = "example.com/web".parse().unwrap();
    let request = asked(Output::Push(repository), Vec::new(), |recipe, _| {
        recipe.annotations = [("a".to_owned(), "b".to_owned())].into();
    });
    let Exporter { r#type, attrs } = &request.exporters[0];
    let attrs: BTreeMap<_, _> = attrs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("annotation.a", "b"),
        ("compression", "gzip"),
        ("name", "example.com/web"),
        ("oci-mediatypes", "true"),
        ("push", "true"),
        ("push-by-digest", "true"),
        ("rewrite-timestamp", "true"),
        ("source-date-epoch", "7"),
    ];
    assert_eq!((r#type.as_str(), attrs), ("image", expected.into()));
}
