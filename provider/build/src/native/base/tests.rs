use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use bytes::Bytes;
use ecr_registry::{Descriptor, Digest, Settings};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Cache, Tools,
    build::build,
    builder::Builder,
    recipe::{FilesRecipe, How, LayerSource, Recipe},
};

/// A registry on loopback with one repository, `base`, whose content is fixed.
#[derive(Default)]
pub(crate) struct Shelf(BTreeMap<String, (String, Bytes)>);

/// A layer, compressed.
pub(crate) struct Layer {
    pub(crate) diff_id: Digest,
    pub(crate) bytes: Vec<u8>,
}

impl Shelf {
    /// Something at this path, whatever it is.
    pub(crate) fn plain(&mut self, path: &str, content: &[u8]) {
        let kind = "application/octet-stream".to_owned();
        self.0.insert(path.to_owned(), (kind, Bytes::copy_from_slice(content)));
    }

    /// An image of these layers with these settings.
    pub(crate) fn image_of(
        &mut self,
        tag: &str,
        platform: &str,
        settings: ecr_registry::content::RunConfig,
        layers: &[Layer],
    ) -> Descriptor {
        let platform: Platform = platform.parse().unwrap();
        let mut config = Base::scratch(&platform).config;
        config.config = settings;
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        let config = serde_json::to_vec(&config).unwrap();
        let config = self.put("blobs", "config", media_type::OCI_CONFIG, &config);
        let layers =
            layers.iter().map(|layer| self.put("blobs", "layer", media_type::OCI_LAYER_GZIP, &layer.bytes));
        let layers = layers.collect();
        let manifest = Manifest::of_image(ImageManifest::oci(config, layers, BTreeMap::new()));
        let descriptor = self.put("manifests", tag, &manifest.media_type, &manifest.raw);
        Descriptor { platform: Some(platform), ..descriptor }
    }

    fn put(&mut self, kind: &str, name: &str, media_type: &str, content: &[u8]) -> Descriptor {
        let digest = Digest::of(content);
        let size = content.len() as u64;
        for name in [name.to_owned(), digest.to_string()] {
            self.0.insert(
                format!("/v2/base/{kind}/{name}"),
                (media_type.to_owned(), Bytes::copy_from_slice(content)),
            );
        }
        Descriptor::new(media_type, digest, size)
    }

    /// An image of one layer for the platform, whose configuration says what it was made for.
    pub(crate) fn image(&mut self, tag: &str, platform: &str) -> Descriptor {
        let platform: Platform = platform.parse().unwrap();
        let layer = format!("layer of {tag}").into_bytes();
        let mut config = Base::scratch(&platform).config;
        config.config.env = vec!["FROM=base".to_owned()];
        config.rootfs.diff_ids = vec![Digest::of(&layer)];
        let config = serde_json::to_vec(&config).unwrap();
        let config = self.put("blobs", "config", media_type::DOCKER_CONFIG, &config);
        let layer = self.put("blobs", "layer", media_type::DOCKER_LAYER_GZIP, &layer);
        let manifest = Manifest::of_image(ImageManifest::oci(config, vec![layer], BTreeMap::new()));
        let descriptor = self.put("manifests", tag, &manifest.media_type, &manifest.raw);
        Descriptor { platform: Some(platform), ..descriptor }
    }

    /// Serves until the runtime of the test ends, and gives `host:port`.
    pub(crate) async fn listen(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let images = Arc::new(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let images = images.clone();
                let answers = service_fn(move |request: Request<Incoming>| {
                    let answer = images.answer(request.uri().path());
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answers));
            }
        });
        address
    }

    fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        let answer = Response::builder();
        let answer = match self.0.get(path) {
            Some((media_type, content)) => {
                answer.header(http::header::CONTENT_TYPE, media_type).body(Full::new(content.clone()))
            }
            None => answer.status(StatusCode::NOT_FOUND).body(Full::default()),
        };
        answer.unwrap()
    }
}

async fn stocked() -> String {
    let mut shelf = Shelf::default();
    let amd64 = shelf.image("amd64", "linux/amd64");
    let arm64 = shelf.image("arm64", "linux/arm64");
    let index = Manifest::of_index(vec![amd64, arm64], BTreeMap::new());
    shelf.put("manifests", "both", &index.media_type, &index.raw);
    shelf.put("manifests", "damaged", media_type::OCI_MANIFEST, b"{}");
    shelf.listen().await
}

async fn find(tag: &str, platform: &str) -> Result<Base, BuildError> {
    let reference = format!("{}/base:{tag}", stocked().await).parse().unwrap();
    let registry = Registry::new(Settings::default()).unwrap();
    Bases::default().find(&reference, &platform.parse().unwrap(), &registry).await
}

#[tokio::test]
async fn a_base_is_found_by_tag_and_through_an_index() {
    for (tag, platform) in
        [("amd64", "linux/amd64"), ("both", "linux/amd64"), ("both", "linux/arm64"), ("arm64", "linux/arm64")]
    {
        let base = find(tag, platform).await.unwrap();
        let architecture = platform.trim_start_matches("linux/");
        assert_eq!(base.config.architecture, architecture, "{tag} for {platform}");
        let [layer] = &base.layers[..] else { panic!("one layer of {tag}") };
        assert_eq!(layer.descriptor.digest, Digest::of(format!("layer of {architecture}").as_bytes()));
        assert_eq!(layer.descriptor.media_type, media_type::OCI_LAYER_GZIP);
        assert!(matches!(&layer.source, BlobSource::Registry(from) if from.name() == "base"));
    }
}

#[tokio::test]
async fn a_base_that_does_not_fit_is_refused_with_what_there_is() {
    for (tag, platform, expected) in [
        ("missing", "linux/amd64", "base:missing"),
        ("arm64", "linux/amd64", "linux/arm64"),
        ("both", "linux/s390x", "linux/amd64"),
        ("damaged", "linux/amd64", "base:damaged"),
    ] {
        let error = find(tag, platform).await.unwrap_err();
        let text = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(text.contains(expected), "{tag} for {platform}: {text}");
    }
}

#[tokio::test]
async fn files_lie_on_top_of_the_base_and_its_layers_stay_where_they_are() {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("index.html"), "hello").unwrap();
    let layers =
        vec![LayerSource { source: files.path().to_owned(), destination: "/www".to_owned(), mode: None }];
    let base = format!("{}/base:amd64", stocked().await).parse().unwrap();
    let how = How::Files(FilesRecipe { base: Some(base), layers, ..FilesRecipe::default() });
    let recipe = Recipe::of(how);
    let registry = Registry::new(Settings::default()).unwrap();
    let (builder, cache, cancel) = (Builder::default(), Cache::none(), CancellationToken::new());
    let tools = Tools {
        builder: &builder,
        registry: &registry,
        destination: None,
        cache: &cache,
        progress: &(),
        cancel: &cancel,
    };
    let built = build(&recipe, tools).await.unwrap();
    let [below, above] = &built.layers[..] else { panic!("the base's layer and ours") };
    assert!(matches!(below.source, BlobSource::Registry(_)));
    assert!(!matches!(above.source, BlobSource::Registry(_)));
    let BlobSource::Bytes(config) = &built.config.source else { panic!("a configuration in memory") };
    let config: ImageConfig = serde_json::from_slice(config).unwrap();
    assert_eq!(config.config.env, ["FROM=base"]);
    assert_eq!(config.rootfs.diff_ids.len(), 2);
    assert_eq!(config.rootfs.diff_ids[0], Digest::of(b"layer of amd64"));
}
