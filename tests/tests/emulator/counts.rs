//! What our client asks for, in requests: section by section of what a push should cost.

use std::collections::BTreeSet;

use ecr_registry::{Image, Tag, Tree};
use futures::future::try_join_all;
use lab::emulator::{Emulator, Options};
use serde_json::json;

use crate::ours::{image, registry, repository};
use crate::stage::start;

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// The log since last time, without passwords.
fn log(ecr: &Emulator) -> Vec<String> {
    let mut lines = ecr.take_log();
    lines.retain(|line| !line.starts_with("ecr:GetAuthorizationToken"));
    lines
}

/// Images on one base, each with a layer of its own.
fn on_one_base(count: u8) -> Vec<Image> {
    (0..count).map(|number| image(&[b"base", &[number]])).collect()
}

fn blobs(images: &[Image]) -> usize {
    let blobs = images.iter().flat_map(Image::blobs).map(|blob| blob.descriptor.digest);
    blobs.collect::<BTreeSet<_>>().len()
}

#[tokio::test]
async fn an_unchanged_image_costs_one_request_for_each_tag() {
    let ecr = start(Options::default(), &["web"]).await;
    let (web, tree) = (repository(&ecr, "web"), Tree::from(image(&[b"one", b"two"])));
    for names in [&["v1"][..], &["v1", "latest", "stable"]] {
        registry(&ecr).push_tree(&web, &tree, &tags(names), &()).await.unwrap();
        log(&ecr);
        // Another run of the program, which remembers nothing.
        registry(&ecr).push_tree(&web, &tree, &tags(names), &()).await.unwrap();
        assert_eq!(log(&ecr), vec!["HEAD manifest web 200"; names.len()]);
    }
}

#[tokio::test]
async fn a_new_image_costs_two_requests_for_each_blob_and_few_beside_them() {
    let ecr = start(Options::default(), &["web"]).await;
    let layers: Vec<Vec<u8>> = (0..20).map(|number| vec![number; 100]).collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let tree = Tree::from(image(&layers));
    registry(&ecr).push_tree(&repository(&ecr, "web"), &tree, &tags(&["v1", "v2"]), &()).await.unwrap();
    let counted = |class: &str| ecr.count(class);
    assert_eq!((counted("POST upload"), counted("PUT upload"), counted("PATCH upload")), (21, 21, 0));
    assert_eq!(counted("ecr:BatchCheckLayerAvailability") + counted("HEAD blob"), 1);
    assert_eq!(counted("PUT manifest") + counted("ecr:PutImage"), 2);
    assert_eq!(counted("HEAD manifest"), 3, "by its digest, and each tag");
}

#[tokio::test]
async fn thirty_images_on_one_base_send_each_blob_once() {
    let ecr = start(Options::default(), &["web"]).await;
    let (client, web, images) = (registry(&ecr), repository(&ecr, "web"), on_one_base(30));
    try_join_all(images.iter().map(|image| client.push(&web, image, &()))).await.unwrap();
    assert_eq!((ecr.count("PUT upload"), ecr.count("POST upload")), (blobs(&images), blobs(&images)));
    assert_eq!(ecr.count("PUT manifest"), 30);
    assert_eq!((ecr.contents("web").manifests.len(), ecr.faults()), (30, vec![]));
}

#[tokio::test]
async fn thirty_repositories_on_one_base_send_each_blob_once_where_blobs_are_mounted() {
    let names: Vec<String> = (0..30).map(|number| format!("shop/web-{number}")).collect();
    let ecr = start(Options::default(), &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    ecr.api("PutAccountSetting", &json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" })).unwrap();
    let (client, images) = (registry(&ecr), on_one_base(30));
    let targets: Vec<_> = names.iter().map(|name| repository(&ecr, name)).collect();
    let pushes = targets.iter().zip(&images).map(|(target, image)| client.push(target, image, &()));
    try_join_all(pushes).await.unwrap();
    assert_eq!(ecr.count("PUT upload"), blobs(&images), "each blob was sent once");
    assert_eq!(ecr.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn another_tag_for_an_image_moves_no_blob() {
    let ecr = start(Options::default(), &["web"]).await;
    let (web, tree) = (repository(&ecr, "web"), Tree::from(image(&[b"one"])));
    registry(&ecr).push_tree(&web, &tree, &tags(&["v1"]), &()).await.unwrap();
    log(&ecr);
    registry(&ecr).push_tree(&web, &tree, &tags(&["v2"]), &()).await.unwrap();
    let log = log(&ecr);
    let puts = log.iter().filter(|line| line.starts_with("PUT manifest")).count();
    assert_eq!((puts, log.iter().filter(|line| line.contains("upload")).count()), (1, 0), "{log:?}");
    // Its digest, the tag, perhaps its blobs, which are asked for at the same time; and the tag is put.
    assert!(log.len() <= 4, "{log:?}");
}
