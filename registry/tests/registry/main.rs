//! The client against registries over real HTTP: one written here, which checks what it is sent and fails on
//! demand, and Debian's.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod access;
mod cache;
mod chain;
mod copy;
mod debian;
mod ecr;
mod ecr_api;
mod ecr_waits;
mod errors;
mod fake;
mod faults;
mod mirrors;
mod proxy;
mod public;
mod pull;
mod push;
mod referrers;
mod tags;
mod tls;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use ecr_registry::{
    Blob, BlobSource, Descriptor, Image, Manifest, Patience, Registry, Repository, Settings, Tree,
    content::{ImageConfig, ImageManifest, media_type},
};

/// An image of these layers, each in memory.
fn image(layers: &[&'static [u8]]) -> Image {
    let layers = layers.iter().map(|bytes| layer(Bytes::from_static(bytes)));
    image_of(layers.collect())
}

fn layer(bytes: Bytes) -> Blob {
    Blob::of_bytes(media_type::OCI_LAYER, bytes)
}

fn image_of(layers: Vec<Blob>) -> Image {
    let (architecture, os) = ("amd64".to_owned(), "linux".to_owned());
    let config = ImageConfig { architecture, os, ..ImageConfig::default() };
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let descriptors: Vec<Descriptor> = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

/// An index of an image for each of two platforms, which have one layer in common.
fn tree() -> Tree {
    let images = vec![image(&[b"base", b"amd64"]), image(&[b"base", b"arm64"])];
    let describe = |(image, platform): (&Image, &str)| Descriptor {
        platform: Some(platform.parse().unwrap()),
        ..image.manifest.descriptor()
    };
    let children = images.iter().zip(["linux/amd64", "linux/arm64"]).map(describe).collect();
    let root = Manifest::of_index(children, BTreeMap::new());
    Tree { root: root.clone(), images, indexes: vec![root] }
}

/// The same image, its layers to be taken from a repository.
fn taken_from(repository: &Repository, image: &Image) -> Image {
    let mut image = image.clone();
    for layer in &mut image.layers {
        layer.source = BlobSource::Registry(repository.clone());
    }
    image
}

/// Waits that do not hold up a test.
fn patience() -> Patience {
    let (first_wait, longest_wait) = (Duration::from_millis(1), Duration::from_millis(20));
    Patience { first_wait, longest_wait, ..Patience::default() }
}

fn settings() -> Settings {
    Settings { patience: patience(), ..Settings::default() }
}

fn client() -> Registry {
    Registry::new(settings()).unwrap()
}

/// An error with all its causes, as a person gets to see it.
fn told(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
