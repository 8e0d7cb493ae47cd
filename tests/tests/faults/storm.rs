//! A registry that refuses everything for a while because it is too much.
//!
//! By default the storm lasts three seconds and patience is a twentieth of what it is otherwise, as three seconds are
//! of a minute. `FAULT_STORM=60 cargo test -p lab --test faults storm` is the real thing.

use std::sync::Once;
use std::time::Duration;

use ecr_registry::{Event, Image, Patience, Progress, Tag, Tree};
use futures::future::try_join_all;
use lab::ecr::ledger::Entry;
use lab::emulator::{Emulator, Options};

use crate::world::{Door, NAME, client_with, image, told};

/// Images pushed at the same time.
const IMAGES: u64 = 3;
const SECOND: Duration = Duration::from_secs(1);

/// Begins when the first bytes of a blob are on their way.
struct Storm<'a> {
    ecr: &'a Emulator,
    length: Duration,
    begun: Once,
}

impl Progress for Storm<'_> {
    fn event(&self, event: Event) {
        if matches!(event, Event::Sent { .. }) {
            self.begun.call_once(|| self.ecr.storm(self.length));
        }
    }
}

fn length() -> Duration {
    let seconds = std::env::var("FAULT_STORM").map_or(3, |seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds)
}

/// As much shorter as the storm is shorter than a minute.
fn patience() -> Patience {
    let scaled = |time: Duration| time.mul_f64(length().as_secs_f64() / 60.0);
    let Patience { first_wait, longest_wait, budget, throttled, .. } = Patience::default();
    let (first_wait, longest_wait) = (scaled(first_wait), scaled(longest_wait));
    Patience {
        first_wait,
        longest_wait,
        budget: scaled(budget),
        throttled: scaled(throttled),
        ..Patience::default()
    }
}

/// Pushes through a storm. Tells how many requests were refused, and how many blobs there are.
async fn weathered(retry_after: Option<Duration>) -> (usize, usize) {
    let ecr = Emulator::start(Options { retry_after, ..Options::default() }).await.unwrap();
    ecr.create(NAME);
    let door = Door::of(&ecr, ecr.address());
    let (client, repository) = (client_with(&[&door], patience(), None), door.repository());
    let images: Vec<Image> = (0..IMAGES).map(image).collect();
    let storm = Storm { ecr: &ecr, length: length(), begun: Once::new() };
    let pushes = images.iter().enumerate().map(|(number, image)| {
        let (client, repository, tree) = (&client, &repository, Tree::from(image.clone()));
        let (tag, storm): (Tag, _) = (format!("v{number}").parse().unwrap(), &storm);
        async move { client.push_tree(repository, &tree, &[tag], storm).await }
    });
    try_join_all(pushes).await.map_err(|error| told(&error)).unwrap();
    assert_eq!((ecr.faults(), ecr.contents(NAME).tags.len()), (vec![], images.len()));
    let blobs = ecr.contents(NAME).blobs.len();
    let is_sent = |entry: &&Entry| entry.class == "PUT upload" && entry.status == 201;
    assert_eq!(ecr.requests().iter().filter(is_sent).count(), blobs);
    (ecr.requests().iter().filter(|entry| entry.status == 429).count(), blobs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_refusals_is_weathered_with_ever_fewer_requests() {
    let (refused, blobs) = weathered(None).await;
    println!("{refused} requests refused in {:?} for {blobs} blobs", length());
    // Waits double until they are as long as can be; some thousands would fit without them.
    assert!((1..=blobs * 40).contains(&refused), "{refused} for {blobs} blobs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_registry_asks_to_wait_is_waited() {
    let (refused, blobs) = weathered(Some(SECOND)).await;
    println!("{refused} requests refused in {:?} for {blobs} blobs, asked to wait a second", length());
    let seconds = usize::try_from(length().as_secs()).unwrap();
    assert!((1..=blobs * (seconds + 1)).contains(&refused), "{refused} for {blobs} blobs");
}
