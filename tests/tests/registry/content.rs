//! Images in every compression, of OCI's kinds and Docker's. A mark in each keeps those of one test apart from another's in
//! the engine, which they share.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use bytes::Bytes;
use ecr_registry::content::media_type::{
    Compression, DOCKER_CONFIG, DOCKER_INDEX, DOCKER_LAYER_GZIP, DOCKER_MANIFEST, OCI_CONFIG, OCI_LAYER,
    OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST,
};
use ecr_registry::content::{ImageConfig, ImageManifest, RootFs, RunConfig};
use ecr_registry::{Blob, Descriptor, Digest, Image, Manifest, Tree};
use flate2::Compression as Level;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;

/// What `file-<number>` of a layer says: long enough to be worth a compression.
pub(crate) fn text(number: usize) -> String {
    format!("line {number}\n").repeat(5000)
}

/// One image for this machine, of a plain and a gzipped layer.
pub(crate) fn simple(mark: &str) -> Tree {
    image(mark, OCI_MANIFEST, here(), &[OCI_LAYER, OCI_LAYER_GZIP]).into()
}

/// An OCI index of images for two platforms, with every compression.
pub(crate) fn all(mark: &str) -> Tree {
    let images = vec![
        image(mark, OCI_MANIFEST, "amd64", &[OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD]),
        image(mark, OCI_MANIFEST, "arm64", &[OCI_LAYER_ZSTD]),
    ];
    let root = Manifest::of_index(children(&images), BTreeMap::new());
    Tree { root: root.clone(), images, indexes: vec![root] }
}

/// A Docker manifest list of images for two platforms.
pub(crate) fn docker(mark: &str) -> Tree {
    let images: Vec<_> = ["amd64", "arm64"]
        .map(|architecture| {
            image(mark, DOCKER_MANIFEST, architecture, &[DOCKER_LAYER_GZIP, DOCKER_LAYER_GZIP])
        })
        .into();
    let list = json!({ "schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": children(&images) });
    let root = Manifest::parse(DOCKER_INDEX, list.to_string().into()).unwrap();
    Tree { root: root.clone(), images, indexes: vec![root] }
}

/// The digests of the unpacked layers of each image.
pub(crate) fn diff_ids(tree: &Tree) -> Vec<Vec<Digest>> {
    let layers = tree.images.iter().map(|image| image.layers.len());
    layers.map(|count| (0..count).map(|number| Digest::of(&archive(number))).collect()).collect()
}

/// A layer without its compression.
pub(crate) fn unpack(layer: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match Compression::of_content(layer) {
        Compression::None => bytes = layer.to_vec(),
        Compression::Gzip => _ = GzDecoder::new(layer).read_to_end(&mut bytes).unwrap(),
        Compression::Zstd => bytes = zstd::decode_all(layer).unwrap(),
    }
    bytes
}

fn here() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

fn children(images: &[Image]) -> Vec<Descriptor> {
    let child = |(image, platform): (&Image, &str)| Descriptor {
        platform: Some(platform.parse().unwrap()),
        ..image.manifest.descriptor()
    };
    images.iter().zip(["linux/amd64", "linux/arm64"]).map(child).collect()
}

fn image(mark: &str, kind: &str, architecture: &str, layers: &[&str]) -> Image {
    let layers = layers.iter().enumerate().map(|(number, kind)| layer(kind, &archive(number)));
    let layers: Vec<Blob> = layers.collect();
    let diff_ids = (0..layers.len()).map(|number| Digest::of(&archive(number))).collect();
    let rootfs = RootFs { diff_ids, ..RootFs::default() };
    let (architecture, os) = (architecture.to_owned(), "linux".to_owned());
    let labels = BTreeMap::from([("mark".to_owned(), mark.to_owned())]);
    let config = RunConfig { labels, ..RunConfig::default() };
    let config = ImageConfig { architecture, os, rootfs, config, ..ImageConfig::default() };
    let config_type = if kind == DOCKER_MANIFEST { DOCKER_CONFIG } else { OCI_CONFIG };
    let config = Blob::of_bytes(config_type, serde_json::to_vec(&config).unwrap().into());
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest {
        media_type: Some(kind.to_owned()),
        ..ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new())
    };
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

fn layer(kind: &str, archive: &[u8]) -> Blob {
    let bytes = if kind.ends_with("zstd") {
        zstd::encode_all(archive, 3).unwrap()
    } else if kind.ends_with("gzip") {
        let mut gzip = GzEncoder::new(Vec::new(), Level::default());
        gzip.write_all(archive).unwrap();
        gzip.finish().unwrap()
    } else {
        archive.to_vec()
    };
    Blob::of_bytes(kind, Bytes::from(bytes))
}

/// A layer of one file.
fn archive(number: usize) -> Vec<u8> {
    let text = text(number);
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, format!("file-{number}"), text.as_bytes()).unwrap();
    archive.into_inner().unwrap()
}
