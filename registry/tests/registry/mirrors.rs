//! Mirrors: asked first, believed in nothing, sent nothing.

use ecr_registry::{CopyOptions, Image, Layout, Mirrors, Reference, Registry, Repository, Settings, Wanted};

use crate::{client, fake::Fake, image, settings};

/// A registry that has an image under `v1`, and the image.
async fn origin() -> (Fake, Repository, Image) {
    let (fake, image) = (Fake::start().await, image(&[b"one", b"two"]));
    let repository = fake.repository("web");
    let tags = ["v1".parse().unwrap()];
    client().push_tree(&repository, &image.clone().into(), &tags, &()).await.unwrap();
    fake.take_log();
    (fake, repository, image)
}

/// A client that reads what is in the one registry from the other.
fn reading(origin: &Fake, mirror: &str) -> Registry {
    let mirrors = Mirrors::default().with(origin.host.parse().unwrap(), mirror).unwrap();
    Registry::new(Settings { mirrors, ..settings() }).unwrap()
}

/// Pulls, and sees to it that everything came and is right.
async fn pulled(registry: &Registry, repository: &Repository, image: &Image) {
    let folder = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(folder.path()).unwrap();
    let from = Reference { repository: repository.clone(), tag: Some("v1".parse().unwrap()), digest: None };
    let tree = registry.pull(&from, &mut layout, None, &Wanted::All, &()).await.unwrap();
    assert_eq!(tree.root, image.manifest);
    layout.verify(&tree.root.descriptor()).unwrap();
}

#[tokio::test]
async fn what_a_mirror_has_is_not_asked_of_the_registry() {
    let ((fake, repository, image), mirror) = (origin().await, Fake::start().await);
    client().push(&mirror.repository("hub/web"), &image, &()).await.unwrap();
    mirror.take_log();
    pulled(&reading(&fake, &format!("{}/hub", mirror.host)), &repository, &image).await;
    assert_eq!(fake.take_log(), ["HEAD /v2/web/manifests/v1"]); // what the tag is
    assert_eq!((mirror.count("GET", "/v2/hub/web/manifests/"), mirror.count("GET", "/blobs/")), (1, 3));
}

#[tokio::test]
async fn what_no_mirror_has_comes_from_the_registry() {
    let ((fake, repository, image), empty) = (origin().await, Fake::start().await);
    let gone = tokio::net::TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    for (mirror, asked) in [(empty.host.clone(), 4), (gone.local_addr().unwrap().to_string(), 0)] {
        pulled(&reading(&fake, &mirror), &repository, &image).await;
        assert_eq!((fake.count("GET", "/manifests/"), fake.count("GET", "/blobs/")), (1, 3));
        assert_eq!(empty.take_log().len(), asked);
        fake.take_log();
    }
}

/// A mirror whose blobs and manifests are something else.
async fn liar(image: &Image) -> Fake {
    let mirror = Fake::start().await;
    client().push(&mirror.repository("web"), image, &()).await.unwrap();
    mirror.take_log();
    let mut state = mirror.state();
    let content = state.repositories.get_mut("web").unwrap();
    content.blobs.values_mut().for_each(|blob| blob.reverse());
    drop(state);
    mirror
}

#[tokio::test]
async fn a_mirror_that_has_something_else_is_found_out() {
    let (fake, repository, image) = origin().await;
    let mirror = liar(&image).await;
    let registry = reading(&fake, &mirror.host);
    pulled(&registry, &repository, &image).await;
    assert_eq!(fake.count("GET", "/blobs/"), 3);
    mirror.take_log();
    pulled(&registry, &repository, &image).await;
    assert_eq!(mirror.take_log().len(), 0); // it is not asked again
}

#[tokio::test]
async fn a_copy_from_a_mirror_that_has_something_else_is_right_all_the_same() {
    let ((fake, repository, image), target) = (origin().await, Fake::start().await);
    let mirror = liar(&image).await;
    let from = Reference { repository, tag: Some("v1".parse().unwrap()), digest: None };
    let to = target.repository("copy");
    reading(&fake, &mirror.host).copy(&from, &to, &CopyOptions::default(), &()).await.unwrap();
    let (copied, original) =
        (target.state().repositories["copy"].clone(), fake.state().repositories["web"].clone());
    assert_eq!((copied.blobs, copied.manifests), (original.blobs, original.manifests));
}

#[tokio::test]
async fn nothing_is_sent_to_a_mirror() {
    let (fake, mirror) = (Fake::start().await, Fake::start().await);
    let registry = reading(&fake, &mirror.host);
    registry.push(&fake.repository("web"), &image(&[b"one"]), &()).await.unwrap();
    assert_eq!(mirror.take_log().len(), 0);
    assert_eq!(fake.state().repositories["web"].manifests.len(), 1);
}
