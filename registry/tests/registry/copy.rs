//! Whole images and indexes on their way: what is sent, what is not, and that nothing changes.

use std::collections::BTreeMap;

use bytes::Bytes;
use ecr_registry::{
    Blob, CopyOptions, Descriptor, Digest, ErrorKind, Image, Layout, Manifest, Reference, Repository, Tag,
    TagOutcome, Tree, Version, Wanted,
    content::{ImageManifest, media_type},
};

use crate::{
    client,
    fake::{Fake, What},
    image, layer, told, tree,
};

fn tagged(repository: &Repository, tag: &str) -> Reference {
    Reference { repository: repository.clone(), tag: Some(tag.parse().unwrap()), digest: None }
}

fn tags(tags: &[&str]) -> Vec<Tag> {
    tags.iter().map(|tag| tag.parse().unwrap()).collect()
}

/// A registry with the index under `v1`.
async fn source(name: &str) -> (Fake, Repository, Tree) {
    let (fake, tree) = (Fake::start().await, tree());
    let repository = fake.repository(name);
    client().push_tree(&repository, &tree, &tags(&["v1"]), &()).await.unwrap();
    (fake, repository, tree)
}

#[tokio::test]
async fn an_index_is_pushed_with_its_root_under_the_tag_alone() {
    let (fake, _, tree) = source("web").await;
    let log = fake.take_log();
    let puts: Vec<&String> = log.iter().filter(|line| line.starts_with("PUT /v2/web/manifests/")).collect();
    assert_eq!(puts.len(), 3, "{log:?}"); // two images by digest, the index by tag
    assert_eq!(puts[2], "PUT /v2/web/manifests/v1");
    assert_eq!(log.iter().filter(|line| line.starts_with("PUT /v2/web/blobs/")).count(), 4);
    let content = fake.state().repositories["web"].clone();
    assert_eq!(content.manifests[&tree.root.digest].1, tree.root.raw);

    let report = client().push_tree(&fake.repository("web"), &tree, &tags(&["v1"]), &()).await.unwrap();
    assert!(report.manifest_already_there && report.sent.is_empty() && report.already_there.len() == 4);
    assert_eq!(fake.take_log(), ["HEAD /v2/web/manifests/v1"]);
}

#[tokio::test]
async fn a_copy_between_registries_is_the_same_bytes_sent_once() {
    let ((one, web, tree), two) = (source("web").await, Fake::start().await);
    one.take_log();
    let copy = two.repository("copy");
    let options = CopyOptions { tags: tags(&["v1", "v2"]), ..CopyOptions::default() };
    let report = client().copy(&tagged(&web, "v1"), &copy, &options, &()).await.unwrap();
    assert_eq!(report.root, tree.root.descriptor());
    assert_eq!((report.pushed.sent.len(), report.pushed.already_there.len()), (4, 0));
    assert_eq!(one.count("GET", "/v2/web/blobs/"), 4);
    assert_eq!(one.count("GET", "/v2/web/manifests/"), 3);
    assert_eq!(two.count("PUT", "/v2/copy/blobs/"), 4);
    assert_eq!(two.count("PUT", "/v2/copy/manifests/"), 4);
    let (source, target) =
        (one.state().repositories["web"].clone(), two.state().repositories["copy"].clone());
    assert_eq!((&source.blobs, &source.manifests), (&target.blobs, &target.manifests));
    assert_eq!(target.tags.len(), 2);
}

#[tokio::test]
async fn a_copy_within_a_registry_moves_no_bytes() {
    let (fake, web, _) = source("web").await;
    fake.take_log();
    let copy = fake.repository("copy");
    let report = client().copy(&tagged(&web, "v1"), &copy, &CopyOptions::default(), &()).await.unwrap();
    assert_eq!((report.pushed.mounted.len(), report.pushed.bytes_sent), (4, 0));
    assert_eq!((fake.count("GET", "/blobs/"), fake.count("PUT", "/blobs/")), (0, 0));
}

#[tokio::test]
async fn only_the_wanted_platforms_are_copied() {
    let ((_one, web, tree), two) = (source("web").await, Fake::start().await);
    let copy = async |wanted: Wanted, name: &str| {
        let options = CopyOptions { wanted, ..CopyOptions::default() };
        client().copy(&tagged(&web, "v1"), &two.repository(name), &options, &()).await
    };
    let arm = copy(Wanted::One("linux/arm64".parse().unwrap()), "one").await.unwrap();
    assert_eq!(arm.root, tree.images[1].manifest.descriptor());
    let arm = copy(Wanted::Only(vec!["linux/arm64".parse().unwrap()]), "only").await.unwrap();
    assert!(arm.root.digest != tree.root.digest && media_type::is_index(&arm.root.media_type));
    assert_eq!(two.state().repositories["only"].manifests.len(), 2);
    let error = copy(Wanted::One("linux/s390x".parse().unwrap()), "none").await.unwrap_err();
    assert!(told(&error).ends_with("it has no image for linux/s390x; it has linux/amd64, linux/arm64"));
}

/// A signature of this manifest, as an artifact without a configuration.
pub(crate) fn signature(subject: &Manifest, of: &'static [u8]) -> Image {
    let config = Blob::of_bytes(media_type::EMPTY, "{}".into());
    let layers = vec![Blob::of_bytes("application/x-signature", of.into())];
    let descriptors: Vec<Descriptor> = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let annotations = BTreeMap::from([("by".to_owned(), "ada".to_owned())]);
    let manifest = ImageManifest {
        artifact_type: Some("application/x-signed".to_owned()),
        subject: Some(subject.descriptor()),
        ..ImageManifest::oci(config.descriptor.clone(), descriptors, annotations)
    };
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

#[tokio::test]
async fn what_is_about_an_image_comes_along_whatever_the_registries_can() {
    for (source_lists, target_lists) in [(true, true), (true, false), (false, true), (false, false)] {
        let ((one, web, tree), two) = (source("web").await, Fake::start().await);
        one.state().lists_referrers = source_lists;
        two.state().lists_referrers = target_lists;
        let of_root = [signature(&tree.root, b"1"), signature(&tree.root, b"2")];
        let of_image = signature(&tree.images[1].manifest, b"3");
        let of_signature = signature(&of_root[0].manifest, b"4");
        for image in of_root.iter().chain([&of_image, &of_signature]) {
            client().push(&web, image, &()).await.unwrap();
        }
        let cosign = format!("sha256-{}.sig", tree.root.digest.hex());
        client().push_tree(&web, &image(&[b"cosign"]).into(), &tags(&[&cosign]), &()).await.unwrap();

        let copy = two.repository("copy");
        let options = CopyOptions { referrers: true, ..CopyOptions::default() };
        let report = client().copy(&tagged(&web, "v1"), &copy, &options, &()).await.unwrap();
        assert_eq!(report.referrers.len(), 5, "{source_lists} {target_lists}");
        let found = client().referrers(&copy, tree.root.digest).await.unwrap();
        assert_eq!(found.len(), 2);
        if !target_lists {
            assert_eq!(found[0].artifact_type.as_deref(), Some("application/x-signed"));
            assert_eq!(found[0].annotations["by"], "ada");
        }
        let found = client().referrers(&copy, of_root[0].manifest.digest).await.unwrap();
        assert_eq!(found[0].digest, of_signature.manifest.digest);
        assert!(two.state().repositories["copy"].tags.contains_key(&cosign));
        assert_eq!(client().referrers(&copy, Digest::of(b"none")).await.unwrap(), []);
    }
}

#[tokio::test]
async fn parallel_signatures_are_all_listed() {
    let (fake, web, tree) = source("web").await;
    let registry = client();
    let pushes = [b"1", b"2", b"3", b"4", b"5"].map(|of| {
        let (registry, web, image) = (registry.clone(), web.clone(), signature(&tree.root, of));
        tokio::spawn(async move { registry.push(&web, &image, &()).await.unwrap() })
    });
    for push in pushes {
        push.await.unwrap();
    }
    assert_eq!(registry.referrers(&web, tree.root.digest).await.unwrap().len(), 5);
    assert_eq!(fake.state().repositories["web"].tags.len(), 2);
}

#[tokio::test]
async fn a_pull_fetches_what_the_layout_lacks() {
    let (one, web, tree) = source("web").await;
    one.take_log();
    let folder = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(folder.path()).unwrap();
    for fetched in [4, 0] {
        client().pull(&tagged(&web, "v1"), &mut layout, Some("v1"), &Wanted::All, &()).await.unwrap();
        assert_eq!(one.count("GET", "/blobs/"), fetched);
        one.take_log();
    }
    let entry = layout.find(Some("v1")).unwrap();
    assert_eq!(entry.digest, tree.root.digest);
    layout.verify(entry).unwrap();

    let two = Fake::start().await;
    let pulled = layout.tree(entry, &Wanted::All).unwrap();
    client().push_tree(&two.repository("web"), &pulled, &[], &()).await.unwrap();
    let (one, two) = (one.state().repositories["web"].clone(), two.state().repositories["web"].clone());
    assert_eq!((one.blobs, one.manifests), (two.blobs, two.manifests));
}

#[tokio::test]
async fn a_tag_is_made_of_another_without_bytes() {
    let (fake, web, tree) = source("web").await;
    fake.take_log();
    let (v1, v2): (Version, Tag) = (Version::Tag("v1".parse().unwrap()), "v2".parse().unwrap());
    assert_eq!(client().retag(&web, &v1, &v2).await.unwrap(), TagOutcome::Created);
    assert_eq!(client().retag(&web, &v1, &v2).await.unwrap(), TagOutcome::Unchanged);
    assert_eq!(fake.state().repositories["web"].tags["v2"], tree.root.digest);
    assert_eq!(fake.take_log().len(), 3 + 2);
    let error = client().retag(&web, &Version::Tag("v9".parse().unwrap()), &v2).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::TagMissing(_)), "{error:?}");
}

/// A large blob that is fetched from a registry with one fault; how often it was asked for, and the result.
/// Its three parts are of one length, so that it does not matter which of them the fault hits.
async fn downloaded(fault: Option<What>, no_ranges: bool) -> (usize, Result<(), String>) {
    const MIB: usize = 1024 * 1024;
    let fake = Fake::start().await;
    let content = (0..48_u8).map(|number| vec![number; MIB]).collect::<Vec<_>>().concat();
    let blob = layer(Bytes::from(content.clone())).descriptor;
    let repository = fake.repository("web");
    {
        let mut state = fake.state();
        state.no_ranges = no_ranges;
        state.repositories.entry("web".to_owned()).or_default().blobs.insert(blob.digest, content.clone());
    }
    if let Some(what) = fault {
        fake.fail("GET", "/blobs/", 1, what);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    let result = client().download(&repository, &blob, &path).await;
    match &result {
        Ok(()) => assert!(std::fs::read(&path).unwrap() == content),
        Err(_) => assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0),
    }
    (fake.count("GET", "/blobs/"), result.map_err(|error| told(&error)))
}

#[tokio::test]
async fn large_blobs_come_in_parts_and_go_on_where_they_broke() {
    assert_eq!(downloaded(None, false).await, (3, Ok(())));
    assert_eq!(downloaded(Some(What::CutAnswer(5_000_000)), false).await, (4, Ok(())));
    assert_eq!(downloaded(None, true).await.1, Ok(()));
}

#[tokio::test]
async fn parts_of_something_else_are_refused() {
    let other = crate::fake::Reply::status(206).body(vec![0xee; 16 * 1024 * 1024]);
    let (_, result) = downloaded(Some(What::Answer(other)), false).await;
    assert!(result.unwrap_err().contains("the content has digest"));
    let longer = crate::fake::Reply::status(206).body(vec![0; 17 * 1024 * 1024]);
    let (_, result) = downloaded(Some(What::Answer(longer)), false).await;
    assert!(result.unwrap_err().ends_with("more bytes than asked for"));
}
