//! The configuration and manifest of an image made from files.

use std::collections::BTreeMap;

use bytes::Bytes;
use ecr_registry::{
    Blob, Image, ImageConfig, Manifest,
    content::{History, ImageManifest, media_type},
};

use super::base::Base;
use crate::{
    compress::Layer,
    recipe::{FilesRecipe, Recipe},
};

/// Puts the layers onto the base, those of each source in turn.
pub(crate) fn assemble(recipe: &Recipe, files: &FilesRecipe, base: Base, layers: Vec<Vec<Layer>>) -> Image {
    let config = config(recipe, files, base.config, &layers);
    let layers =
        base.layers.into_iter().chain(layers.into_iter().flatten().map(|layer| layer.blob)).collect();
    image(&config, layers, recipe.annotations.clone())
}

/// The image of a configuration and its layers.
pub(crate) fn image(config: &ImageConfig, layers: Vec<Blob>, annotations: BTreeMap<String, String>) -> Image {
    let json: Bytes = serde_json::to_vec(config).expect("a configuration is plain data").into();
    let config = Blob::of_bytes(media_type::OCI_CONFIG, json);
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, annotations);
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

fn config(recipe: &Recipe, files: &FilesRecipe, base: ImageConfig, layers: &[Vec<Layer>]) -> ImageConfig {
    let mut config = base;
    let created = rfc3339(recipe.source_date_epoch);
    config.created = Some(created.clone());
    // What else a base says is about how that one was made.
    config.other.retain(|name, _| name.starts_with("os."));
    run_settings(&mut config, recipe, files);
    for (source, layers) in files.layers.iter().zip(layers) {
        config.rootfs.diff_ids.extend(layers.iter().map(|layer| layer.diff_id));
        let history = History {
            created: Some(created.clone()),
            created_by: Some(format!("files {}", source.destination)),
            ..History::default()
        };
        config.history.extend(vec![history; layers.len()]);
    }
    config
}

fn run_settings(config: &mut ImageConfig, recipe: &Recipe, files: &FilesRecipe) {
    let run = &mut config.config;
    if files.entrypoint.is_some() {
        run.entrypoint.clone_from(&files.entrypoint);
        // The base's arguments were meant for the base's program.
        run.cmd = None;
    }
    if files.cmd.is_some() {
        run.cmd.clone_from(&files.cmd);
    }
    for (name, value) in &files.env {
        let line = format!("{name}={value}");
        match run.env.iter_mut().find(|line| line.split('=').next() == Some(name)) {
            Some(old) => *old = line,
            None => run.env.push(line),
        }
    }
    if let Some(user) = &files.user {
        run.user.clone_from(user);
    }
    if let Some(workdir) = &files.workdir {
        run.working_dir.clone_from(workdir);
    }
    run.labels.extend(recipe.labels.clone());
}

/// Seconds since 1970 as `1970-01-01T00:00:00Z`.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    prost_types::Timestamp { seconds, nanos: 0 }.to_string()
}
