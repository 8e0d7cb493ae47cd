use bytes::Bytes;

use crate::{
    content::{ImageConfig, Manifest, ManifestError, ManifestKind, Selected, Wanted, media_type},
    names::{Digest, Platform},
};

/// A manifest, index or configuration as a registry sends it.
pub fn manifests(data: &[u8]) {
    let raw = Bytes::copy_from_slice(data);
    for given in media_type::MANIFESTS.into_iter().chain(["", "text/html; charset=utf-8"]) {
        if let Ok(manifest) = Manifest::parse(given, raw.clone()) {
            assert_eq!((manifest.digest, &manifest.raw), (Digest::of(data), &raw));
            assert_eq!(Manifest::parse(&manifest.media_type, raw.clone()).unwrap(), manifest);
            choose(&manifest);
            written_again(&manifest);
        }
    }
    if let Ok(config) = serde_json::from_slice::<ImageConfig>(data) {
        let written = serde_json::to_vec(&config).unwrap();
        assert_eq!(serde_json::from_slice::<ImageConfig>(&written).unwrap(), config);
    }
}

/// Part of an index is an index of less, and all of it is the same bytes.
fn choose(manifest: &Manifest) {
    let ManifestKind::Index(index) = &manifest.kind else { return };
    let platforms: Vec<Platform> =
        index.manifests.iter().filter_map(|child| child.platform.clone()).collect();
    let wanted = [Wanted::All, Wanted::Only(platforms.clone())];
    for wanted in wanted.into_iter().chain(platforms.into_iter().take(3).map(Wanted::One)) {
        match wanted.of(manifest, index) {
            Ok(Selected::Index(part)) if wanted == Wanted::All => assert_eq!(*part, *manifest),
            Ok(Selected::Index(part)) => {
                assert!(part.children().iter().all(|child| index.manifests.contains(child)));
            }
            Ok(Selected::Child(child)) => assert!(index.manifests.contains(&child)),
            // What no field of ours is need not be text, until it has to be written.
            Err(error) => assert!(matches!((wanted, error), (Wanted::Only(_), ManifestError::Json(_)))),
        }
    }
}

/// What is known of a manifest survives being written.
fn written_again(manifest: &Manifest) {
    let written = match manifest.kind.clone() {
        ManifestKind::Image(image) => Manifest::of_image(image),
        ManifestKind::Index(index) => Manifest::of_index(index.manifests, index.annotations),
    };
    assert_eq!(Manifest::parse(&written.media_type, written.raw.clone()).unwrap(), written);
}
