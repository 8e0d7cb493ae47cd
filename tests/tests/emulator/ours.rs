//! Our client of the emulator, and images for it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use bytes::Bytes;
use ecr_registry::content::{ImageConfig, ImageManifest, media_type};
use ecr_registry::{Blob, Descriptor, Endpoints, Image, Manifest, Patience, Registry, Repository, Settings};
use lab::emulator::Emulator;

fn aws(ecr: &Emulator) -> SdkConfig {
    let keys = ecr.keys();
    let credentials = Credentials::new(keys.id, keys.secret, None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(ecr.url())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Our client.
pub(crate) fn registry(ecr: &Emulator) -> Registry {
    Registry::new(settings(ecr)).unwrap()
}

/// As it is set up.
pub(crate) fn settings(ecr: &Emulator) -> Settings {
    let (first_wait, longest_wait) = (Duration::from_millis(1), Duration::from_millis(20));
    let patience = Patience { first_wait, longest_wait, ..Patience::default() };
    let endpoints = Endpoints::parse_text(&ecr.endpoints()).unwrap();
    Settings { aws: Some(aws(ecr)), endpoints, patience, ..Settings::default() }
}

pub(crate) fn repository(ecr: &Emulator, name: &str) -> Repository {
    format!("{}/{name}", ecr.host()).parse().unwrap()
}

/// An image of these layers, in memory.
pub(crate) fn image(layers: &[&[u8]]) -> Image {
    let layers =
        layers.iter().map(|bytes| Blob::of_bytes(media_type::OCI_LAYER, Bytes::copy_from_slice(bytes)));
    let layers: Vec<Blob> = layers.collect();
    let (architecture, os) = ("amd64".to_owned(), "linux".to_owned());
    let config = ImageConfig { architecture, os, ..ImageConfig::default() };
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let descriptors: Vec<Descriptor> = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
    Image { manifest: Manifest::of_image(manifest), config, layers }
}
