//! Pulls that end early, and several at once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use bytes::Bytes;
use ecr_registry::{
    Descriptor, Digest, Event, Layout, Patience, Reference, Registry, Repository, Settings, Wanted,
};

use crate::{
    client,
    fake::{Fake, What},
    image, layer, patience, settings,
};

const PART: usize = 16 * 1024 * 1024;

/// A registry with a blob of three parts.
async fn large() -> (Fake, Repository, Descriptor, Vec<u8>) {
    let (fake, content) = (Fake::start().await, [vec![1; PART], vec![2; PART], vec![3; PART]].concat());
    let (blob, repository) = (layer(Bytes::from(content.clone())).descriptor, fake.repository("web"));
    let blobs = BTreeMap::from([(blob.digest, content.clone())]);
    fake.state().repositories.entry("web".to_owned()).or_default().blobs = blobs;
    (fake, repository, blob, content)
}

fn incoming(folder: &Path, digest: Digest) -> PathBuf {
    folder.join(format!(".incoming-{}", digest.hex()))
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// How many parts are said to be whole.
fn whole_parts(path: &Path) -> usize {
    use std::io::{Read, Seek, SeekFrom};
    let Ok(mut file) = std::fs::File::open(path) else { return 0 };
    let mut marks = Vec::new();
    file.seek(SeekFrom::Start(3 * PART as u64)).unwrap();
    file.read_to_end(&mut marks).unwrap();
    marks.into_iter().filter(|mark| *mark == 1).count()
}

#[tokio::test]
async fn a_download_that_was_ended_is_gone_on_with() {
    let (fake, repository, blob, content) = large().await;
    let folder = tempfile::tempdir().unwrap();
    let (to, partial) = (folder.path().join("blob"), incoming(folder.path(), blob.digest));
    fake.fail("GET", "/blobs/", 1, What::StallAnswer(1000)); // one part does not come
    let others_are_here = async {
        while whole_parts(&partial) < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let patience = Patience { stall: Duration::from_hours(1), ..patience() };
    let registry = Registry::new(Settings { patience, ..settings() }).unwrap();
    tokio::select! {
        result = registry.download(&repository, &blob, &to) => panic!("{result:?}"),
        () = others_are_here => {}
    }
    assert_eq!((to.exists(), files(folder.path())), (false, 1));
    fake.take_log();
    client().download(&repository, &blob, &to).await.unwrap();
    assert_eq!(fake.count("GET", "/blobs/"), 1);
    assert!(std::fs::read(&to).unwrap() == content);
    assert_eq!(files(folder.path()), 1);
}

#[tokio::test]
async fn what_is_wrong_in_an_earlier_attempt_is_fetched_anew() {
    let (fake, repository, blob, content) = large().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("blob");
    let said_to_be_whole = [vec![0; 3 * PART], vec![1; 3]].concat();
    std::fs::write(incoming(folder.path(), blob.digest), said_to_be_whole).unwrap();
    client().download(&repository, &blob, &to).await.unwrap();
    assert_eq!(fake.count("GET", "/blobs/"), 3);
    assert!(std::fs::read(&to).unwrap() == content);
    assert_eq!(files(folder.path()), 1);
}

#[tokio::test]
async fn of_two_that_want_a_blob_in_one_place_one_fetches_it() {
    let (fake, repository, blob, content) = large().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("blob");
    let (one, two) = (client(), client());
    let (one, two) =
        tokio::join!(one.download(&repository, &blob, &to), two.download(&repository, &blob, &to));
    one.unwrap();
    two.unwrap();
    assert_eq!(fake.count("GET", "/blobs/"), 3);
    assert!(std::fs::read(&to).unwrap() == content);
    assert_eq!(files(folder.path()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pulls_into_one_layout_lose_nothing() {
    const LAYERS: [&[u8]; 8] = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"];
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let repository = fake.repository("web");
    let pulls = LAYERS.map(|own| {
        let (repository, root) = (repository.clone(), folder.path().join("layout"));
        tokio::spawn(async move {
            let image = image(&[b"base", own]);
            client().push(&repository, &image, &()).await.unwrap();
            let (name, digest) = (String::from_utf8_lossy(own), Some(image.manifest.digest));
            let from = Reference { repository, tag: None, digest };
            let mut layout = Layout::create(root).unwrap();
            client().pull(&from, &mut layout, Some(&name), &Wanted::All, &()).await.unwrap();
        })
    });
    for pull in pulls {
        pull.await.unwrap();
    }
    let layout = Layout::open(folder.path().join("layout")).unwrap();
    let mut names = layout.names();
    names.sort();
    assert_eq!(names, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    for name in &names {
        layout.verify(layout.find(Some(name)).unwrap()).unwrap();
    }
    assert_eq!(files(&folder.path().join("layout")), 3); // blobs, index.json, oci-layout
}

#[tokio::test]
async fn a_pull_tells_what_comes_in() {
    let (fake, image) = (Fake::start().await, image(&[b"one", b"three"]));
    let repository = fake.repository("web");
    client().push(&repository, &image, &()).await.unwrap();
    let (folder, events) = (tempfile::tempdir().unwrap(), Mutex::new(Vec::new()));
    let mut layout = Layout::create(folder.path()).unwrap();
    let from = Reference { repository, tag: None, digest: Some(image.manifest.digest) };
    let progress = |event: Event| events.lock().unwrap().push(event);
    client().pull(&from, &mut layout, None, &Wanted::All, &progress).await.unwrap();
    let events = events.into_inner().unwrap();
    for blob in image.blobs() {
        let Descriptor { digest, size, .. } = blob.descriptor;
        assert!(events.contains(&Event::Fetching { digest, size, here: 0 }));
        assert!(events.contains(&Event::Fetched { digest }));
        let received = events.iter().map(|event| match event {
            Event::Received { digest: of, bytes } if *of == digest => *bytes,
            _ => 0,
        });
        assert_eq!(received.sum::<u64>(), size);
    }
}
