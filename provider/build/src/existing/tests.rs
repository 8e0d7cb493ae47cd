use std::{collections::BTreeMap, fs, io::Read, path::Path};

use ecr_registry::{Reference, Registry, Settings, content::write_docker_archive};
use flate2::read::MultiGzDecoder;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Cache, How, SourceHash, build, hash::source_hash, observe};

const CONTENT: &[u8] = b"as if it were an archive";

fn platform(architecture: &str) -> Platform {
    format!("linux/{architecture}").parse().unwrap()
}

fn image(architecture: &str) -> Image {
    let layer = Blob::of_bytes(media_type::OCI_LAYER, CONTENT.into());
    let mut config =
        ImageConfig { os: "linux".into(), architecture: architecture.into(), ..ImageConfig::default() };
    config.rootfs.diff_ids = vec![layer.descriptor.digest];
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let manifest =
        ImageManifest::oci(config.descriptor.clone(), vec![layer.descriptor.clone()], BTreeMap::new());
    Image { manifest: Manifest::of_image(manifest), config, layers: vec![layer] }
}

fn recipe(existing: Existing, architectures: &[&str]) -> Recipe {
    Recipe {
        platforms: architectures.iter().map(|name| platform(name)).collect(),
        ..Recipe::of(How::Existing(existing))
    }
}

async fn built(recipe: &Recipe) -> Result<Built, BuildError> {
    let registry = Registry::new(Settings::default()).unwrap();
    let (builder, cache, cancel) = (Builder::default(), Cache::none(), CancellationToken::new());
    let (destination, progress) = (None, &());
    let tools = Tools {
        builder: &builder,
        registry: &registry,
        destination,
        cache: &cache,
        progress,
        cancel: &cancel,
    };
    build(recipe, tools).await
}

fn hash(recipe: &Recipe) -> SourceHash {
    source_hash(recipe, &observe(recipe, &Cache::none()).unwrap())
}

fn layout(root: &Path) -> (Layout, Manifest) {
    let images = ["amd64", "arm64"].map(image);
    let children = images.iter().zip(["amd64", "arm64"]).map(|(image, name)| ecr_registry::Descriptor {
        platform: Some(platform(name)),
        ..image.manifest.descriptor()
    });
    let index = Manifest::of_index(children.collect(), BTreeMap::new());
    let mut layout = Layout::create(root).unwrap();
    let tree = Tree { root: index.clone(), images: images.to_vec(), indexes: vec![index.clone()] };
    layout.add(&tree, Some("both")).unwrap();
    layout.add(&image("amd64").into(), Some("one")).unwrap();
    (layout, index)
}

#[tokio::test]
async fn takes_what_is_wanted_of_a_layout() {
    let folder = tempfile::tempdir().unwrap();
    let (_, index) = layout(folder.path());
    let named = |name: &str| {
        let place = format!("{}:{name}", folder.path().display());
        Existing::OciLayout(place.as_str().into())
    };
    let check = async |name: &str, platforms: &[&str], expected: Result<Digest, &str>| {
        let recipe = recipe(named(name), platforms);
        let built = built(&recipe).await;
        let found = built
            .as_ref()
            .map(|built| built.tree().root.digest)
            .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "LAYOUT"));
        assert_eq!(found, expected.map_err(str::to_owned));
        if let Ok(built) = built {
            assert_eq!(*built.sources(), observe(&recipe, &Cache::none()).unwrap());
        }
    };
    let amd64 = image("amd64").manifest.digest;
    check("both", &["amd64", "arm64"], Ok(index.digest)).await;
    check("both", &["amd64"], Ok(amd64)).await;
    check("one", &["amd64"], Ok(amd64)).await;
    check("one", &["arm64"], Err("`LAYOUT:one` is for linux/amd64, not for linux/arm64")).await;
    let both = "`LAYOUT:one` is for linux/amd64, not for linux/amd64, linux/arm64";
    check("one", &["amd64", "arm64"], Err(both)).await;
    check("none", &["amd64"], Err("cannot use `LAYOUT`")).await;
}

#[test]
fn the_hash_follows_the_content_and_not_the_place() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let hashes = folders.each_ref().map(|folder| {
        layout(folder.path());
        let of = |name: &str, platforms: &[&str]| {
            let place = format!("{}:{name}", folder.path().display());
            hash(&recipe(Existing::OciLayout(place.as_str().into()), platforms))
        };
        [of("one", &["amd64"]), of("both", &["amd64", "arm64"]), of("both", &["arm64"])]
    });
    assert_eq!(hashes[0], hashes[1]);
    let [one, both, other] = hashes[0];
    assert!(one != both && both != other && one != other);
    let stored =
        |id: Option<Digest>| hash(&recipe(Existing::LocalImage { name: "web".into(), id }, &["amd64"]));
    assert_ne!(stored(None), stored(Some(Digest::of(b"a"))));
}

#[tokio::test]
async fn an_archive_keeps_its_configuration_and_gets_compressed_layers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    let name: Reference = "example.com/web:1".parse().unwrap();
    write_docker_archive(&[(image("amd64"), vec![name])], fs::File::create(&path).unwrap()).unwrap();
    let existing = Existing::DockerArchive(path.to_str().unwrap().into());
    let recipe = recipe(existing, &["amd64"]);
    let built = built(&recipe).await.unwrap();
    assert_eq!(*built.sources(), observe(&recipe, &Cache::none()).unwrap());
    assert_eq!(built.config.descriptor, image("amd64").config.descriptor);
    let [layer] = &built.layers[..] else { panic!("{:?}", built.layers) };
    assert_eq!(layer.descriptor.media_type, media_type::OCI_LAYER_GZIP);
    let BlobSource::Bytes(bytes) = &layer.source else { panic!("{layer:?}") };
    let mut content = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut content).unwrap();
    assert_eq!(content, CONTENT);
}

#[tokio::test]
async fn an_image_of_no_daemon_names_what_was_tried() {
    let recipe = recipe(Existing::LocalImage { name: "web".into(), id: None }, &["amd64"]);
    let error = built(&recipe).await.unwrap_err();
    assert_eq!(error.to_string(), "no Docker daemon answers (tried )");
}
