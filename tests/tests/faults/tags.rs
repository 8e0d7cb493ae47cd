//! Two processes that push one tag.

use lab::emulator::{Emulator, Options};
use serde_json::json;

use crate::pusher::Pusher;
use crate::world::{Door, NAME, Nerves, image};

async fn immutable() -> (Emulator, Door) {
    let ecr = Emulator::start(Options::default()).await.unwrap();
    let input = json!({ "repositoryName": NAME, "imageTagMutability": "IMMUTABLE" });
    ecr.api("CreateRepository", &input).unwrap();
    let door = Door::of(&ecr, ecr.address());
    (ecr, door)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_push_the_same_image_to_an_immutable_tag() {
    let (ecr, door) = immutable().await;
    let locks = tempfile::tempdir().unwrap();
    let pushers = [
        Pusher::start(&door, 1, Nerves::Strong, locks.path()),
        Pusher::start(&door, 1, Nerves::Strong, locks.path()),
    ];
    for mut pusher in pushers {
        assert_eq!(pusher.outcome().await, Ok(()));
    }
    assert_eq!(ecr.contents(NAME).tags["v1"], image(1).manifest.digest.to_string());
    assert_eq!(ecr.faults(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_images_for_an_immutable_tag_one_is_refused_and_both_are_named() {
    let (ecr, door) = immutable().await;
    let locks = tempfile::tempdir().unwrap();
    let pushers = [
        Pusher::start(&door, 1, Nerves::Strong, locks.path()),
        Pusher::start(&door, 2, Nerves::Strong, locks.path()),
    ];
    let mut errors = Vec::new();
    for mut pusher in pushers {
        errors.extend(pusher.outcome().await.err());
    }
    let [error] = <[String; 1]>::try_from(errors).unwrap();
    for seed in [1, 2] {
        assert!(error.contains(&image(seed).manifest.digest.to_string()), "{error}");
    }
    assert_eq!(ecr.contents(NAME).tags.len(), 1);
    assert_eq!(ecr.faults(), [""; 0]);
}
