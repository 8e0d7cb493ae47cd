//! What a builder asks for while it builds: contexts, secrets, images that only we have.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use ecr_registry::{Blob, BlobSource, Endpoints, Image, ImageConfig, Layout, Secret, Settings, Tag};
use flate2::read::MultiGzDecoder;
use image_build::{
    Attestations, BuildOptions, Cache, DockerfileRecipe, NamedContext, Network, Provenance, base_images,
    observe, resolve,
};
use lab::emulator::{Emulator, Options};

use super::daemon::Buildkitd;
use super::{BUSYBOX, Desk, afresh, builder, context, recipe, whole};

const SECRET: &str = "planted-7c1f9b0e55";

/// The files of all layers and what is in them.
pub(crate) fn files(image: &Image) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for layer in &image.layers {
        let bytes = content(layer);
        let mut tar = tar::Archive::new(MultiGzDecoder::new(&bytes[..]));
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let name = entry.path().unwrap().display().to_string();
            files.insert(name, String::from_utf8_lossy(&content).into_owned());
        }
    }
    files
}

pub(super) fn content(blob: &Blob) -> Vec<u8> {
    match &blob.source {
        BlobSource::Bytes(bytes) => bytes.to_vec(),
        BlobSource::File(path) => fs::read(path).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn steps_get_what_they_are_given_and_secrets_stay_nowhere() {
    let daemon = Buildkitd::on_socket();
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let desk = Desk::new();

    // An image of ours, which goes into the next one as a layout.
    let first = context(&[("Dockerfile", "FROM scratch\nCOPY one /one\n"), ("one", "from a layout")]);
    let made = desk
        .build(&fleet, &recipe(first.path(), &["linux/amd64"], DockerfileRecipe::default()))
        .await
        .unwrap();
    let layout = tempfile::tempdir().unwrap();
    Layout::create(layout.path()).unwrap().add(made.tree(), Some("one")).unwrap();

    let beside = context(&[("kept", "from a folder"), ("left", ""), (".dockerignore", "left\nbusybox\n")]);
    let text = format!(
        "{BUSYBOX}COPY --from=images /one /one\nCOPY --from=beside . /beside/\n\
         RUN --mount=type=secret,id=token \\\n  /bin/busybox sha256sum /run/secrets/token > /sum\n\
         RUN /bin/busybox grep shop.test /etc/hosts > /hosts\n"
    );
    let folder = context(&[("Dockerfile", &text)]);
    let options = BuildOptions {
        secrets: [("token".to_owned(), Secret::new(SECRET))].into(),
        extra_hosts: [("shop.test".to_owned(), [10, 1, 2, 3].into())].into(),
        network: Network::None,
        ..afresh()
    };
    let images = format!("oci-layout://{}:one", layout.path().display());
    let contexts = [
        ("images".to_owned(), images.parse().unwrap()),
        ("beside".to_owned(), NamedContext::Local(beside.path().to_owned())),
    ];
    let how = DockerfileRecipe { contexts: contexts.into(), options, ..DockerfileRecipe::default() };
    let recipe = recipe(folder.path(), &["linux/amd64"], how);
    let built = desk.build(&fleet, &recipe).await.unwrap();
    assert_eq!(*built.sources(), observe(&recipe, &Cache::none()).unwrap());

    let [image] = &built.tree().images[..] else { panic!("{:?}", built.tree()) };
    let files = files(image);
    assert_eq!((files["one"].as_str(), files["beside/kept"].as_str()), ("from a layout", "from a folder"));
    assert!(
        !files.contains_key("beside/left") && !files.contains_key("beside/busybox"),
        "{:?}",
        files.keys()
    );
    assert!(
        files["sum"].len() > 64 && files["hosts"].contains("10.1.2.3"),
        "{:?} {:?}",
        files["sum"],
        files["hosts"]
    );
    let config: ImageConfig = serde_json::from_slice(&content(&image.config)).unwrap();
    assert_eq!(config.config.labels["team"], "shop");
    let everything = format!("{files:?} {config:?} {:?}", desk.said());
    assert!(!everything.contains(SECRET), "the secret is in the image or the log");

    // The same again, step by step: the same bytes.
    let again = desk.build(&fleet, &recipe).await.unwrap();
    assert_eq!(again.tree().root.digest, built.tree().root.digest);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn base_images_of_mapped_registries_come_from_here_and_are_followed() {
    let daemon = Buildkitd::on_socket();
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let ecr = Emulator::start(Options { open: true, ..Options::default() }).await.unwrap();
    let endpoints = Endpoints::parse_text(&ecr.endpoints()).unwrap();
    let desk = Desk::with(Settings { endpoints, ..Settings::default() });
    let base: ecr_registry::Repository = format!("{}/base", ecr.host()).parse().unwrap();
    let (tag, mut digests) = ("1".parse::<Tag>().unwrap(), Vec::new());
    let text = format!("FROM {base}:1\nCOPY two /two\n");
    let folder = context(&[("Dockerfile", &text), ("two", "two")]);
    let followed = DockerfileRecipe { track_base_images: true, ..DockerfileRecipe::default() };
    let mut recipe = recipe(folder.path(), &["linux/amd64"], followed);
    for one in ["old", "new"] {
        let below = context(&[("Dockerfile", "FROM scratch\nCOPY one /one\n"), ("one", one)]);
        let below = super::recipe(below.path(), &["linux/amd64"], DockerfileRecipe::default());
        let made = desk.build(&fleet, &below).await.unwrap();
        desk.registry.push_tree(&base, made.tree(), std::slice::from_ref(&tag), &()).await.unwrap();
        let sources = observe(&recipe, &Cache::none()).unwrap();
        assert_eq!(base_images(&recipe, &sources), [format!("{base}:1")]);
        resolve(&mut recipe, &sources, &desk.registry, &fleet).await.unwrap();
        digests.push(image_build::source_hash(&recipe, &sources));
        let built = desk.build(&fleet, &recipe).await.unwrap();
        // Layers of the base come through the builder, which has them from us.
        let files = files(&built.tree().images[0]);
        assert_eq!((files["one"].as_str(), files["two"].as_str()), (one, "two"));
    }
    assert_ne!(digests[0], digests[1], "a base that moved makes another source hash");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn attestations_come_with_the_image_and_failures_name_the_line() {
    let daemon = Buildkitd::on_socket();
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let desk = Desk::new();
    let folder = context(&[("Dockerfile", "FROM scratch\nCOPY one /one\n"), ("one", "")]);
    let attestations = Attestations { provenance: Some(Provenance::Max), sbom: false };
    let how = DockerfileRecipe { attestations, ..DockerfileRecipe::default() };
    let built = desk.build(&fleet, &recipe(folder.path(), &["linux/amd64"], how)).await.unwrap();
    let tree = built.tree();
    assert_eq!((tree.images.len(), tree.indexes.len()), (2, 1), "{tree:?}");

    let text = format!("{BUSYBOX}\nRUN echo before && \\\n  /bin/busybox false\n");
    let folder = context(&[("Dockerfile", &text)]);
    let recipe = recipe(folder.path(), &["linux/amd64"], DockerfileRecipe::default());
    let message = whole(&desk.build(&fleet, &recipe).await.unwrap_err());
    assert!(message.starts_with("step `[2/2] RUN echo before"), "{message}");
    assert!(
        message.contains("(line 5 of the Dockerfile) failed:") && message.ends_with("\n  before"),
        "{message}"
    );
}
