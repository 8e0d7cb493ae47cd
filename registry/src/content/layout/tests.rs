use std::collections::BTreeMap;

use super::*;
use crate::{
    content::{ImageConfig, media_type},
    names::Platform,
};

fn image(platform: &str, layer: &'static [u8]) -> Image {
    let Platform { os, architecture, variant } = platform.parse().unwrap();
    let config = ImageConfig { architecture, os, variant, ..ImageConfig::default() };
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let layers = vec![Blob::of_bytes(media_type::OCI_LAYER, layer.into())];
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

/// An index of an image for each platform.
fn tree(platforms: &[&str]) -> Tree {
    let images: Vec<Image> = platforms.iter().map(|platform| image(platform, b"shared")).collect();
    let child = |(image, platform): (&Image, &&str)| Descriptor {
        platform: Some(platform.parse().unwrap()),
        ..image.manifest.descriptor()
    };
    let root = Manifest::of_index(images.iter().zip(platforms).map(child).collect(), BTreeMap::new());
    Tree { root: root.clone(), images, indexes: vec![root] }
}

fn told(error: &LocalError) -> String {
    error.problem.to_string()
}

#[test]
fn what_is_added_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("new");
    let both = tree(&["linux/amd64", "linux/arm64"]);
    let mut layout = Layout::create(&root).unwrap();
    layout.add(&both, Some("v1")).unwrap();
    layout.add(&image("linux/amd64", b"other").into(), Some("v2")).unwrap();
    layout.add(&both, Some("v2")).unwrap(); // the name moves

    let layout = Layout::open(&root).unwrap();
    assert_eq!(layout.names(), ["v1", "v2"]);
    let found = layout.tree(layout.find(Some("v1")).unwrap(), &Wanted::All).unwrap();
    assert_eq!((found.root.raw.clone(), found.images.len()), (both.root.raw.clone(), 2));
    assert_eq!(found.size(), both.size());
    assert_eq!(layout.find(None).unwrap().digest, both.root.digest); // two names, one image
    layout.verify(layout.find(Some("v2")).unwrap()).unwrap();
    let names: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn what_nothing_names_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(folder.path()).unwrap();
    let (both, other) = (tree(&["linux/amd64", "linux/arm64"]), image("linux/amd64", b"other"));
    layout.add(&both, Some("v1")).unwrap();
    layout.add(&other.clone().into(), Some("v2")).unwrap();
    layout.add(&both, Some("v2")).unwrap();
    let is_there = |blob: &Blob| layout.has(&blob.descriptor);
    layout.remove_unnamed(Duration::from_hours(1)).unwrap();
    assert!(is_there(&other.layers[0]), "somebody may be about to name it");
    let old = std::time::SystemTime::now() - Duration::from_hours(2);
    File::open(layout.blob_path(&other.layers[0].descriptor.digest)).unwrap().set_modified(old).unwrap();
    layout.remove_unnamed(Duration::from_hours(1)).unwrap();
    assert!(!is_there(&other.layers[0]) && is_there(&other.config));
    layout.verify(layout.find(Some("v1")).unwrap()).unwrap();
}

#[test]
fn platforms_are_selected() {
    let folder = tempfile::tempdir().unwrap();
    let both = tree(&["linux/amd64", "linux/arm64/v8"]);
    let mut layout = Layout::create(folder.path()).unwrap();
    layout.add(&both, None).unwrap();
    let select = |wanted: &Wanted| layout.tree(layout.find(None).unwrap(), wanted);
    let platforms = |names: &[&str]| Wanted::Only(names.iter().map(|name| name.parse().unwrap()).collect());

    let arm = select(&platforms(&["linux/arm64"])).unwrap();
    assert_eq!((arm.images.len(), arm.root.children().len()), (1, 1));
    assert_ne!(arm.root.digest, both.root.digest);
    let all = select(&platforms(&["linux/arm64/v8", "linux/amd64"])).unwrap();
    assert_eq!(all.root, both.root);
    let one = select(&Wanted::One("linux/amd64".parse().unwrap())).unwrap();
    assert_eq!((one.root, one.indexes.len()), (both.images[0].manifest.clone(), 0));
    let error = select(&platforms(&["windows/amd64"])).unwrap_err();
    let cause = std::error::Error::source(&error.problem).unwrap().to_string();
    assert_eq!(cause, "it has no image for windows/amd64; it has linux/amd64, linux/arm64/v8");
}

#[test]
fn what_is_about_a_kept_image_is_kept() {
    let mut both = tree(&["linux/amd64", "linux/arm64"]);
    let mut children = both.root.children().to_vec();
    for about in 0..2 {
        let provenance = image("unknown/unknown", if about == 0 { b"p" } else { b"q" });
        let mut child = provenance.manifest.descriptor();
        child.platform = Some("unknown/unknown".parse().unwrap());
        let digest = children[about].digest.to_string();
        child.annotations = [("vnd.docker.reference.digest".to_owned(), digest)].into();
        both.images.push(provenance);
        children.push(child);
    }
    both.root = Manifest::of_index(children.clone(), BTreeMap::new());
    both.indexes = vec![both.root.clone()];
    let folder = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(folder.path()).unwrap();
    layout.add(&both, None).unwrap();
    let wanted = Wanted::Only(vec!["linux/arm64".parse().unwrap()]);
    let arm = layout.tree(layout.find(None).unwrap(), &wanted).unwrap();
    assert_eq!(arm.root.children(), [children[1].clone(), children[3].clone()]);
}

#[test]
fn what_is_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert_eq!(told(&Layout::open(root).unwrap_err()), "it has no `oci-layout`");
    let image = image("linux/amd64", b"layer");
    let mut layout = Layout::create(root).unwrap();
    assert_eq!(told(layout.find(None).as_ref().unwrap_err()), "it has no `image in index.json`");
    layout.add(&image.clone().into(), Some("v1")).unwrap();
    let layer = layout.blob_path(&image.layers[0].descriptor.digest);
    let tree = |layout: &Layout| layout.tree(layout.find(None)?, &Wanted::All).map(drop);
    let digest = image.layers[0].descriptor.digest;

    fs::write(&layer, b"lay").unwrap();
    assert_eq!(told(&tree(&layout).unwrap_err()), format!("`{digest}` has 3 bytes, not 5"));
    fs::write(&layer, b"other").unwrap();
    tree(&layout).unwrap();
    let error = layout.verify(layout.find(None).unwrap()).unwrap_err();
    assert_eq!(told(&error), format!("`{digest}` has digest {}, not {digest}", Digest::of(b"other")));
    fs::remove_file(&layer).unwrap();
    assert_eq!(told(&tree(&layout).unwrap_err()), format!("it has no `{digest}`"));

    let error = layout.find(Some("v3")).unwrap_err();
    assert_eq!(told(&error), "it has no image named `v3`; it has v1");
    layout.add(&self::image("linux/arm64", b"layer").into(), Some("v2")).unwrap();
    let error = layout.find(None).unwrap_err();
    assert_eq!(told(&error), "it has several images and none was named; it has v1, v2");

    let manifest = layout.blob_path(&image.manifest.digest);
    fs::write(&manifest, vec![b' '; 4 * 1024 * 1024 + 1]).unwrap();
    let error = layout.manifest(&image.manifest.descriptor()).unwrap_err();
    assert_eq!(
        told(&error),
        format!("`{}` is longer than the limit of 4194304 bytes", image.manifest.digest)
    );
    fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert_eq!(told(&Layout::open(root).unwrap_err()), "`oci-layout` says version `2.0.0`, where 1 is known");
    fs::write(root.join("oci-layout"), "{").unwrap();
    assert_eq!(told(&Layout::open(root).unwrap_err()), "`oci-layout` is not what belongs there");
}

#[test]
fn indexes_in_indexes_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(folder.path()).unwrap();
    let mut tree = tree(&["linux/amd64"]);
    for _ in 0..5 {
        tree.root = Manifest::of_index(vec![tree.root.descriptor()], BTreeMap::new());
        tree.indexes.push(tree.root.clone());
    }
    layout.add(&tree, None).unwrap();
    let error = layout.tree(layout.find(None).unwrap(), &Wanted::All).unwrap_err();
    let cause = std::error::Error::source(&error.problem).unwrap();
    assert_eq!(cause.to_string(), "it names too many manifests");
}

#[test]
fn bytes_that_are_not_the_blob_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).unwrap();
    let mut blob = Blob::of_bytes("", "good".into());
    blob.source = BlobSource::Bytes("evil".into());
    assert!(matches!(layout.add_blob(&blob).unwrap_err().problem, LocalProblem::Digest { .. }));
    assert!(!layout.has(&blob.descriptor));
    blob.source = BlobSource::Registry("ghcr.io/a".parse().unwrap());
    assert!(matches!(layout.add_blob(&blob).unwrap_err().problem, LocalProblem::NotLocal(_)));
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3);
}
