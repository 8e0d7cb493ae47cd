//! The arrows between the crates, read from what cargo would build, and what no tracked file may hold.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every crate of the workspace and the ones of the workspace that it may use.
const ARROWS: [(&str, &[&str]); 7] = [
    ("tfplugin-rs", &["tfplugin-rs-derive"]),
    ("tfplugin-rs-derive", &[]),
    ("ecr-registry", &[]),
    ("image-build", &["ecr-registry"]),
    ("terraform-provider-ecr", &["tfplugin-rs", "ecr-registry", "image-build"]),
    ("helm-eks-deploy", &["ecr-registry"]),
    ("lab", &[]),
];

/// Outside crates that must not be reached, by the start of their names, and why.
const WALLS: [(&str, &str, &str); 5] = [
    ("tfplugin-rs", "aws-sdk-", "the protocol knows no AWS"),
    ("tfplugin-rs", "aws-config", "the protocol knows no AWS"),
    ("ecr-registry", "tonic", "the client fits into any tool"),
    ("helm-eks-deploy", "tonic", "the plugin carries no gRPC server"),
    ("helm-eks-deploy", "prost", "the plugin carries no gRPC server"),
];

/// Which crates each crate is built with.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The arrows and walls that the graph breaks, each as a sentence.
fn broken(graph: &Graph) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, allowed) in ARROWS {
        let uses = graph.get(from).into_iter().flatten();
        let ours = uses.filter(|to| ARROWS.iter().any(|(name, _)| name == to));
        broken.extend(
            ours.filter(|to| !allowed.contains(&to.as_str())).map(|to| format!("{from} must not use {to}")),
        );
    }
    for (from, prefix, reason) in WALLS {
        let reached = reached(graph, from).into_iter().filter(|name| name.starts_with(prefix));
        broken.extend(reached.map(|to| format!("{from} must not reach {to}: {reason}")));
    }
    broken
}

fn reached<'a>(graph: &'a Graph, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(name) = next.pop() {
        if seen.insert(name) {
            next.extend(graph.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

/// What `cargo metadata` resolves, without what only tests use: two versions of one crate count as one.
fn graph() -> Graph {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--all-features", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let name = |id: &Value| names[&text(id)].clone();
    let ships = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
    let mut graph = Graph::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let uses = list(&node["deps"]).into_iter().filter(ships).map(|dependency| name(&dependency["pkg"]));
        graph.entry(name(&node["id"])).or_default().extend(uses);
    }
    graph
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn no_arrow_turns() {
    let graph = graph();
    for (name, _) in ARROWS {
        assert!(
            graph.contains_key(name),
            "{name} is no crate of the workspace: is the table above still right?"
        );
    }
    assert_eq!(broken(&graph), [""; 0]);
}

#[test]
fn a_turned_arrow_is_seen() {
    let check = |edges: &[(&str, &str)], expected: &[&str]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        assert_eq!(broken(&graph), expected, "{edges:?}");
    };
    check(&[("image-build", "ecr-registry"), ("image-build", "tonic")], &[]);
    check(&[("ecr-registry", "image-build")], &["ecr-registry must not use image-build"]);
    check(
        &[("helm-eks-deploy", "hyper"), ("hyper", "tonic")],
        &["helm-eks-deploy must not reach tonic: the plugin carries no gRPC server"],
    );
    check(
        &[("tfplugin-rs", "aws-sdk-ecr")],
        &["tfplugin-rs must not reach aws-sdk-ecr: the protocol knows no AWS"],
    );
}

/// Marks of unfinished work; split so as not to find themselves.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];

#[test]
fn no_tracked_file_holds_unfinished_work_or_the_path_of_this_checkout() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return; // a source archive without its history
    };
    let checkout = root().display().to_string();
    // A path such as `/src` says nothing about a machine and is part of many others.
    let telling = (root().components().count() > 2).then_some(checkout.as_str());
    let unwanted: Vec<_> = UNFINISHED.into_iter().chain(telling).collect();
    let files = String::from_utf8(listed.stdout).unwrap();
    let mut found = Vec::new();
    for file in files.split_terminator('\0') {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            let unwanted = unwanted.iter().find(|unwanted| line.contains(**unwanted));
            found.extend(unwanted.map(|unwanted| format!("{file}:{number}: {unwanted}")));
        }
    }
    assert_eq!(found, [""; 0]);
}
