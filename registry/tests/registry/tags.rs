//! Tags: nothing is sent when nothing changes, and an immutable tag is an error of its own.

use ecr_registry::{ErrorKind, Outcome, Tag, TagOutcome};

use crate::{
    client,
    fake::{Fake, Reply, What},
    image, told,
};

#[tokio::test]
async fn a_tag_is_made_kept_and_moved() {
    let fake = Fake::start().await;
    let (registry, repository, tag) = (client(), fake.repository("web"), Tag::latest());
    let (one, two) = (image(&[b"one"]), image(&[b"two"]));
    for image in [&one, &two] {
        registry.push(&repository, image, &()).await.unwrap();
    }
    fake.take_log();
    assert_eq!(registry.tag(&repository, &tag, &one.manifest).await.unwrap(), TagOutcome::Created);
    assert_eq!(fake.take_log(), ["HEAD /v2/web/manifests/latest", "PUT /v2/web/manifests/latest"]);
    assert_eq!(registry.tag(&repository, &tag, &one.manifest).await.unwrap(), TagOutcome::Unchanged);
    assert_eq!(fake.take_log(), ["HEAD /v2/web/manifests/latest"]);
    let moved = registry.tag(&repository, &tag, &two.manifest).await.unwrap();
    assert_eq!(moved, TagOutcome::Moved { from: one.manifest.digest });
}

#[tokio::test]
async fn an_immutable_tag_stays() {
    let fake = Fake::start().await;
    let (registry, repository, tag) = (client(), fake.repository("web"), Tag::latest());
    let (one, two) = (image(&[b"one"]), image(&[b"two"]));
    for image in [&one, &two] {
        registry.push(&repository, image, &()).await.unwrap();
    }
    registry.tag(&repository, &tag, &one.manifest).await.unwrap();
    fake.state().immutable = true;
    assert_eq!(registry.tag(&repository, &tag, &one.manifest).await.unwrap(), TagOutcome::Unchanged);

    let error = registry.tag(&repository, &tag, &two.manifest).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "cannot tag `{repository}:latest`: tag `latest` is immutable and points to {}, not to {}",
            one.manifest.digest, two.manifest.digest
        )
    );
    assert!(error.hint().unwrap().contains("use a new tag"));
    assert_eq!((error.outcome(), error.is_transient()), (Outcome::Other, false));

    // Another program makes the tag between our look and our request, and means the same image.
    fake.fail("HEAD", "/manifests/latest", 1, What::Answer(Reply::status(404)));
    assert_eq!(registry.tag(&repository, &tag, &one.manifest).await.unwrap(), TagOutcome::Unchanged);
}

#[tokio::test]
async fn only_ecr_takes_tags_away() {
    let fake = Fake::start().await;
    let error = client().untag(&fake.repository("web"), &Tag::latest()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::NotEcr(_)), "{error:?}");
}
