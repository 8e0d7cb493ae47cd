//! Lists of what is about an image, where the registry keeps none and several programs write them at once.

use std::{collections::BTreeMap, sync::Arc};

use ecr_registry::{Descriptor, Image, Manifest, Repository};

use crate::{
    client,
    copy::signature,
    fake::{Fake, Hook, State, What},
    image, told,
};

/// A registry with an image, and the path by which the list of what is about it is written.
async fn subject() -> (Fake, Repository, Image) {
    let (fake, image) = (Fake::start().await, image(&[b"one"]));
    let repository = fake.repository("web");
    client().push(&repository, &image, &()).await.unwrap();
    (fake, repository, image)
}

const LIST: &str = "/manifests/sha256-";

/// Another program that lists this and knows of nothing else.
fn another(subject: &Image, of: &'static [u8]) -> (Descriptor, Hook) {
    let manifest = signature(&subject.manifest, of).manifest;
    let (tag, listed) = (format!("sha256-{}", subject.manifest.digest.hex()), manifest.descriptor());
    let write = move |state: &mut State| {
        let index = Manifest::of_index(vec![manifest.descriptor()], BTreeMap::new());
        let content = state.repositories.get_mut("web").unwrap();
        content.tags.insert(tag.clone(), index.digest);
        for manifest in [&manifest, &index] {
            let stored = (manifest.media_type.clone(), manifest.raw.to_vec());
            content.manifests.insert(manifest.digest, stored);
        }
    };
    (listed, Arc::new(write))
}

async fn listed(repository: &Repository, subject: &Image) -> Vec<ecr_registry::Digest> {
    let found = client().referrers(repository, subject.manifest.digest).await.unwrap();
    found.into_iter().map(|found| found.digest).collect()
}

#[tokio::test]
async fn an_entry_that_another_program_overwrote_is_written_again() {
    let (fake, repository, image) = subject().await;
    let (theirs, write) = another(&image, b"theirs");
    fake.fail("PUT", LIST, 2, What::Before(write));
    let ours = signature(&image.manifest, b"ours");
    client().push(&repository, &ours, &()).await.unwrap();
    assert_eq!(listed(&repository, &image).await, [theirs.digest, ours.manifest.digest]);
    assert_eq!(fake.count("PUT", LIST), 3);
}

#[tokio::test]
async fn a_registry_that_compares_lets_nobody_overwrite_what_they_did_not_read() {
    let (fake, repository, image) = subject().await;
    fake.state().compares = true;
    let first = signature(&image.manifest, b"first");
    client().push(&repository, &first, &()).await.unwrap();
    let (theirs, write) = another(&image, b"theirs");
    fake.fail("PUT", LIST, 1, What::After(write));
    let ours = signature(&image.manifest, b"ours");
    client().push(&repository, &ours, &()).await.unwrap();
    // `theirs` did not look at what was there; what it wrote is not lost once more.
    assert_eq!(listed(&repository, &image).await, [theirs.digest, ours.manifest.digest]);

    let pushes = [b"1", b"2", b"3", b"4"].map(|of| {
        let (repository, image) = (repository.clone(), signature(&image.manifest, of));
        tokio::spawn(async move { client().push(&repository, &image, &()).await.unwrap() })
    });
    for push in pushes {
        push.await.unwrap();
    }
    assert_eq!(listed(&repository, &image).await.len(), 2 + 4);
}

#[tokio::test]
async fn who_is_always_overwritten_says_so() {
    let (fake, repository, image) = subject().await;
    let (_, write) = another(&image, b"theirs");
    fake.fail("PUT", LIST, 1000, What::Before(write));
    let error = client().push(&repository, &signature(&image.manifest, b"ours"), &()).await.unwrap_err();
    let expected = format!("others keep overwriting the list of what is about {}", image.manifest.digest);
    assert!(told(&error).ends_with(&expected), "{}", told(&error));
    assert!(error.is_transient());
}
