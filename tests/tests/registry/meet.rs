//! One meeting: what is pushed, who reads it, what they push, and what we read of that.

use std::collections::BTreeMap;
use std::path::Path;

use ecr_registry::content::{ImageConfig, ImageManifest};
use ecr_registry::{Digest, Layout, ManifestKind, Reference, Tree, Version, Wanted};
use lab::lab::Lab;

use crate::content;
use crate::peers::{Peers, umoci};
use crate::place::Place;

#[test]
#[ignore = "needs the lab"]
fn in_debians_registry() {
    meet(&Place::debian());
}

#[test]
#[ignore = "needs the lab"]
fn in_ministack() {
    meet(&Place::ministack(&Lab::running().unwrap()));
}

#[test]
#[ignore = "needs the lab"]
fn in_the_emulator() {
    meet(&Place::emulator());
}

/// Everybody reads what we pushed, pushes what they made of it, and we read that.
fn meet(place: &Place) {
    let mark = place.reached();
    let samples = BTreeMap::from([
        ("simple", content::simple(&mark)),
        ("docker", content::docker(&mark)),
        ("all", content::all(&mark)),
    ]);
    for (tag, tree) in &samples {
        let tags = [tag.parse().unwrap()];
        place.wait(place.registry.push_tree(&place.repository(), tree, &tags, &())).unwrap();
    }
    let peers = Peers::start(place);
    for (tag, tree) in &samples {
        they_read(&peers, tag, tree);
    }
    they_push(&peers, &samples);
    we_read(place, &samples);
}

fn they_read(peers: &Peers<'_>, tag: &str, tree: &Tree) {
    let (reference, raw) = (peers.reference(tag), &tree.root.raw);
    // crane takes every layer for gzip; of others it looks at manifests and configurations alone.
    let depth: &[&str] = if tag == "docker" { &[] } else { &["--fast"] };
    peers.crane(&[&["validate", "--remote", &reference], depth].concat());
    assert_eq!(peers.skopeo(&["inspect", "--raw", &format!("docker://{reference}")]).as_bytes(), raw);
    let copy = peers.path(tag);
    let to = format!("oci:{copy}:{tag}");
    // An OCI layout has no Docker manifests: those are made anew, the others come as they are.
    let same = if tag == "docker" { "--all" } else { "--all --preserve-digests" };
    let words: Vec<_> =
        ["copy", "--dest-oci-accept-uncompressed-layers"].into_iter().chain(same.split(' ')).collect();
    peers.skopeo(&[&words[..], &[&format!("docker://{reference}"), &to]].concat());
    let layout = Layout::open(&copy).unwrap();
    layout.verify(layout.find(Some(tag)).unwrap()).unwrap();
    let found = layout.tree(layout.find(Some(tag)).unwrap(), &Wanted::All).unwrap();
    assert_eq!(all_diff_ids(&layout, &found), content::diff_ids(tree), "{tag}");
    peers.ctr(&["images", "pull", "--all-platforms", "--snapshotter", "native"], &[&reference]);
    if tag == "simple" {
        let rootfs = peers.path("rootfs");
        umoci(&["unpack", "--rootless", "--image", &format!("{copy}:{tag}"), &rootfs]);
        let file = Path::new(&rootfs).join("rootfs/file-1");
        assert_eq!(std::fs::read_to_string(file).unwrap(), content::text(1));
    }
    // Docker 20.10 knows no zstd.
    if tag != "all" {
        peers.docker(&["pull", "--quiet", &reference]);
        let layers = peers.docker(&["image", "inspect", "--format", "{{json .RootFS.Layers}}", &reference]);
        let layers: Vec<Digest> = serde_json::from_str(&layers).unwrap();
        assert!(content::diff_ids(tree).contains(&layers), "{layers:?}");
    }
}

fn they_push(peers: &Peers<'_>, samples: &BTreeMap<&str, Tree>) {
    let mut layout = Layout::create(peers.path("ours")).unwrap();
    for (tag, tree) in samples.iter().filter(|(tag, _)| **tag != "docker") {
        layout.add(tree, Some(tag)).unwrap();
    }
    let ours = |tag: &str| format!("oci:{}:{tag}", peers.path("ours"));
    let theirs = |tag: &str| format!("docker://{}", peers.reference(tag));
    peers.skopeo(&["copy", "--all", "--preserve-digests", &ours("all"), &theirs("skopeo")]);
    peers.skopeo(&["copy", "--format", "v2s2", &ours("simple"), &theirs("skopeo-docker")]);
    peers.skopeo(&["copy", "--dest-compress-format", "zstd", &ours("simple"), &theirs("skopeo-zstd")]);
    peers.crane(&["copy", &peers.reference("all"), &peers.reference("crane")]);
    let images = [peers.reference("skopeo-docker"), peers.reference("docker")];
    let list =
        ["--docker-empty-base", "-m", &images[0], "-m", &images[1], "-t", &peers.reference("crane-list")];
    peers.crane(&[&["index", "append"], &list[..]].concat());
    peers.docker(&["tag", &peers.reference("simple"), &peers.reference("dockerd")]);
    peers.docker(&["push", "--quiet", &peers.reference("dockerd")]);
    peers.ctr(&["images", "push"], &[&peers.reference("containerd"), &peers.reference("all")]);
    let made = format!("{}:made", peers.path("umoci"));
    umoci(&["init", "--layout", &peers.path("umoci")]);
    umoci(&["new", "--image", &made]);
    std::fs::write(peers.path("file-1"), content::text(1)).unwrap();
    umoci(&["insert", "--rootless", "--image", &made, &peers.path("file-1"), "/file-1"]);
    peers.skopeo(&["copy", &format!("oci:{made}"), &theirs("umoci")]);
}

fn we_read(place: &Place, samples: &BTreeMap<&str, Tree>) {
    let read = |tag: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut layout = Layout::create(folder.path().join("layout")).unwrap();
        let from =
            Reference { repository: place.repository(), tag: Some(tag.parse().unwrap()), digest: None };
        let tree = place.wait(place.registry.pull(&from, &mut layout, Some(tag), &Wanted::All, &())).unwrap();
        layout.verify(layout.find(Some(tag)).unwrap()).unwrap();
        let found = place.wait(place.registry.head(&place.repository(), &Version::Tag(tag.parse().unwrap())));
        assert_eq!(found.unwrap().unwrap().digest, tree.root.digest);
        let layout_tree = layout.tree(layout.find(Some(tag)).unwrap(), &Wanted::All).unwrap();
        (tree.root.digest, all_diff_ids(&layout, &layout_tree))
    };
    for tag in ["skopeo", "crane", "containerd"] {
        assert_eq!(read(tag), (samples["all"].root.digest, content::diff_ids(&samples["all"])), "{tag}");
    }
    for tag in ["skopeo-docker", "skopeo-zstd", "dockerd"] {
        assert_eq!(read(tag).1, content::diff_ids(&samples["simple"]), "{tag}");
    }
    let lists = [content::diff_ids(&samples["simple"]), content::diff_ids(&samples["docker"])].concat();
    assert_eq!(read("crane-list").1, lists);
    assert_eq!(read("umoci").1[0].len(), 1);
}

/// The digests of all layers as they are unpacked, image by image, each compared with what its configuration says.
fn all_diff_ids(layout: &Layout, tree: &Tree) -> Vec<Vec<Digest>> {
    let blob = |digest: &Digest| std::fs::read(layout.blob_path(digest)).unwrap();
    let of_image = |manifest: &ImageManifest| {
        let config: ImageConfig = serde_json::from_slice(&blob(&manifest.config.digest)).unwrap();
        let unpacked = manifest.layers.iter().map(|layer| Digest::of(&content::unpack(&blob(&layer.digest))));
        assert_eq!(unpacked.collect::<Vec<_>>(), config.rootfs.diff_ids);
        config.rootfs.diff_ids
    };
    let manifests = tree.images.iter().filter_map(|image| match &image.manifest.kind {
        ManifestKind::Image(manifest) => Some(of_image(manifest)),
        ManifestKind::Index(_) => None,
    });
    manifests.collect()
}
