//! The cache: what was fetched once is not asked for again, and nothing depends on it.

use ecr_registry::{Cache, Layout, Reference, Registry, Settings, Wanted};

use crate::{
    client,
    fake::{Fake, Reply, What},
    image, settings, tree,
};

fn client_with(cache: &Cache) -> Registry {
    Registry::new(Settings { cache: Some(cache.clone()), ..settings() }).unwrap()
}

#[tokio::test]
async fn what_was_fetched_once_is_not_asked_for_again() {
    let fake = Fake::start().await;
    let (repository, folder) = (fake.repository("web"), tempfile::tempdir().unwrap());
    let tree = tree();
    client().push_tree(&repository, &tree, &[], &()).await.unwrap();
    let image: Reference = format!("{repository}@{}", tree.root.digest).parse().unwrap();
    let cache = Cache::new(folder.path().join("cache"), 1 << 20);
    for (name, fetched) in [("one", 3 + 1), ("two", 0)] {
        fake.take_log();
        let mut layout = Layout::create(folder.path().join(name)).unwrap();
        client_with(&cache).pull(&image, &mut layout, None, &Wanted::All, &()).await.unwrap();
        assert_eq!(fake.count("GET", "/blobs/"), fetched, "{name}");
        assert_eq!(layout.tree(&tree.root.descriptor(), &Wanted::All).unwrap().root.digest, tree.root.digest);
    }
}

#[tokio::test]
async fn a_damaged_or_useless_cache_does_no_harm() {
    let fake = Fake::start().await;
    let (repository, folder) = (fake.repository("web"), tempfile::tempdir().unwrap());
    let image = image(&[b"one"]);
    client().push(&repository, &image, &()).await.unwrap();
    let (config, layer) = (&image.config.descriptor, &image.layers[0].descriptor);
    let to = folder.path().join("layer");
    let cache = Cache::new(folder.path().join("cache"), 1 << 20);
    let registry = client_with(&cache);
    let hex = layer.digest.hex();
    let kept = folder.path().join("cache/sha256").join(&hex[..2]).join(hex);
    for _ in 0..2 {
        registry.download(&repository, layer, &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"one");
        std::fs::write(&kept, "two").unwrap();
    }
    assert_eq!(fake.count("GET", "/blobs/"), 2);

    let useless = client_with(&Cache::new(&to, 1 << 20)); // a file is where the folder should be
    for _ in 0..2 {
        useless.small_blob(&repository, config).await.unwrap();
    }
    assert_eq!(fake.count("GET", "/blobs/"), 4);
}

#[tokio::test]
async fn without_the_registry_the_cache_still_has_it() {
    let fake = Fake::start().await;
    let (repository, folder) = (fake.repository("web"), tempfile::tempdir().unwrap());
    let image = image(&[b"one"]);
    client().push(&repository, &image, &()).await.unwrap();
    let registry = client_with(&Cache::new(folder.path(), 1 << 20));
    let read = registry.small_blob(&repository, &image.config.descriptor).await.unwrap();
    fake.fail("GET", "/blobs/", 99, What::Answer(Reply::status(404)));
    assert_eq!(registry.small_blob(&repository, &image.config.descriptor).await.unwrap(), read);
}
