use std::path::PathBuf;

use super::*;
use crate::recipe::{Compression, LayerSource};

fn sources(content: &str) -> Sources {
    Sources {
        tree: Digest::of(content.as_bytes()),
        files: BTreeMap::new(),
        summary: BTreeMap::new(),
        file_count: 0,
        size_bytes: 0,
        warnings: Vec::new(),
        parsed: None,
        reach: None,
    }
}

fn map(key: &str, value: &str) -> BTreeMap<String, String> {
    [(key.to_owned(), value.to_owned())].into()
}

fn dockerfile() -> DockerfileRecipe {
    DockerfileRecipe { context: "/somewhere".into(), ..DockerfileRecipe::default() }
}

fn files() -> FilesRecipe {
    let layer = LayerSource { source: "/somewhere/app".into(), destination: "/app".into(), mode: None };
    FilesRecipe { layers: vec![layer], ..FilesRecipe::default() }
}

fn hash(recipe: &Recipe) -> String {
    source_hash(recipe, &sources("content")).to_string()
}

/// These never change: images that exist were hashed so.
#[test]
fn hashes_of_format_1() {
    let check = |how: How, expected: &str| assert_eq!(hash(&Recipe::of(how)), expected);
    check(
        How::Dockerfile(dockerfile()),
        "1:286d6e86e7df8dc437584f592d3e0e4b194f54bdcfc4affbbc0597e22366244d",
    );
    check(How::Files(files()), "1:7ba4bad995f69a0155f99d7efd0ba2b7fa2f43c2f9f1108aa7ce96e7b612c5e2");
}

#[test]
fn everything_that_counts_changes_the_hash() {
    type Change = fn(&mut Recipe);
    let dockerfile_changes: [fn(&mut DockerfileRecipe); 3] = [
        |recipe| recipe.target = Some("release".into()),
        |recipe| recipe.args = map("A", "1"),
        |recipe| recipe.args = map("A1", ""),
    ];
    let files_changes: [fn(&mut FilesRecipe); 11] = [
        |recipe| recipe.base = Some("debian:12".parse().unwrap()),
        |recipe| recipe.layers[0].destination = "/App".into(),
        |recipe| recipe.layers[0].mode = Some(0o644),
        |recipe| recipe.entrypoint = Some(vec!["/app".into()]),
        |recipe| recipe.entrypoint = Some(vec![]),
        |recipe| recipe.cmd = Some(vec!["/app".into()]),
        |recipe| recipe.cmd = Some(vec!["/".into(), "app".into()]),
        |recipe| recipe.env = map("A", "1"),
        |recipe| recipe.user = Some("1000".into()),
        |recipe| recipe.workdir = Some("1000".into()),
        |recipe| recipe.layers.clear(),
    ];
    let common: [Change; 6] = [
        |recipe| recipe.platforms = vec!["linux/arm64".parse().unwrap()],
        |recipe| recipe.compression = Compression::Zstd,
        |recipe| recipe.labels = map("a", "b"),
        |recipe| recipe.annotations = map("a", "b"),
        |recipe| recipe.triggers = map("a", "b"),
        |recipe| recipe.source_date_epoch = 1,
    ];
    let mut recipes = vec![Recipe::of(How::Dockerfile(dockerfile())), Recipe::of(How::Files(files()))];
    let base = recipes[0].clone();
    recipes.extend(dockerfile_changes.map(|change| {
        let mut changed = dockerfile();
        change(&mut changed);
        Recipe::of(How::Dockerfile(changed))
    }));
    recipes.extend(files_changes.map(|change| {
        let mut changed = files();
        change(&mut changed);
        Recipe::of(How::Files(changed))
    }));
    recipes.extend(common.map(|change| {
        let mut changed = base.clone();
        change(&mut changed);
        changed
    }));
    let mut hashes: Vec<String> = recipes.iter().map(hash).collect();
    hashes.push(source_hash(&base, &sources("other")).to_string());
    let all = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}

#[test]
fn paths_of_this_machine_do_not_count() {
    let mut elsewhere = dockerfile();
    elsewhere.context = PathBuf::from("/elsewhere");
    elsewhere.dockerfile = Some("docker/Dockerfile".into());
    assert_eq!(
        hash(&Recipe::of(How::Dockerfile(elsewhere))),
        hash(&Recipe::of(How::Dockerfile(dockerfile())))
    );
    let mut elsewhere = files();
    elsewhere.layers[0].source = PathBuf::from("/elsewhere/app");
    assert_eq!(hash(&Recipe::of(How::Files(elsewhere))), hash(&Recipe::of(How::Files(files()))));
}

#[test]
fn an_image_keeps_the_format_it_was_hashed_with() {
    let recipe = Recipe::of(How::Dockerfile(dockerfile()));
    let stored: SourceHash = hash(&recipe).parse().unwrap();
    let by = |format| source_hash(&Recipe { format: Some(format), ..recipe.clone() }, &sources("content"));
    assert_eq!(by(stored.format()), stored);
    let next = stored.format().bumped();
    let new = by(next);
    assert_ne!(new, stored);
    assert!(new.to_string().starts_with("2:"));
    assert_eq!(new.format(), next);
}

#[test]
fn reads_back_and_names_a_tag() {
    let hash = source_hash(&Recipe::of(How::Files(files())), &sources("content"));
    assert_eq!(hash.to_string().parse::<SourceHash>().unwrap(), hash);
    assert_eq!(hash.tag("src-").unwrap().to_string(), format!("src-1-{}", hash.digest.hex()));
    assert!(hash.tag("-").is_err());
    for text in
        ["", "1:", "x:00", "01:00", &format!("+1:{}", "0".repeat(64)), &format!("1:{}", "A".repeat(64))]
    {
        let message = format!("`{text}` is no source hash: a number, a colon and 64 hexadecimal digits");
        assert_eq!(text.parse::<SourceHash>().unwrap_err().to_string(), message);
    }
}
