//! What goes over the wire for a push, and what does not.

use std::{io::Write, sync::Mutex};

use bytes::Bytes;
use ecr_registry::{
    Blob, BlobSource, Descriptor, Event, How, Manifest, Platform, Registry, Requests, Tag, TagOutcome, Tree,
    Whom, content::media_type,
};

use crate::{
    client,
    fake::{Fake, Mount, Reply, What},
    image, image_of, layer, taken_from,
};

#[tokio::test]
async fn each_blob_goes_out_once_and_the_manifest_last() {
    let fake = Fake::start().await;
    let image = image(&[b"one", b"two", b"one"]);
    let report = client().push(&fake.repository("shop/web"), &image, &()).await.unwrap();
    assert_eq!((report.sent.len(), report.mounted.len(), report.already_there.len()), (3, 0, 0));
    assert_eq!(report.bytes_sent, 6 + image.config.descriptor.size);
    for (method, path, times) in [
        ("HEAD", "/blobs/", 3),
        ("POST", "/blobs/uploads/", 3),
        ("PUT", "/blobs/", 3),
        ("PUT", "/manifests/", 1),
    ] {
        assert_eq!(fake.count(method, path), times, "{method} {path}");
    }
    let log = fake.take_log();
    assert_eq!(log.len(), 11);
    assert_eq!(log[10], format!("PUT /v2/shop/web/manifests/{}", image.manifest.digest));
    assert_eq!(fake.state().repositories["shop/web"].manifests[&image.manifest.digest].1, image.manifest.raw);
}

#[tokio::test]
async fn what_is_there_costs_one_request() {
    let fake = Fake::start().await;
    let (repository, image) = (fake.repository("web"), image(&[b"one"]));
    client().push(&repository, &image, &()).await.unwrap();
    fake.take_log();
    let report = client().push(&repository, &image, &()).await.unwrap();
    assert_eq!((report.manifest_already_there, report.already_there.len(), report.bytes_sent), (true, 2, 0));
    assert_eq!(fake.take_log(), [format!("HEAD /v2/web/manifests/{}", image.manifest.digest)]);
}

#[tokio::test]
async fn only_the_changed_layer_is_sent() {
    let fake = Fake::start().await;
    let repository = fake.repository("web");
    client().push(&repository, &image(&[b"base", b"one"]), &()).await.unwrap();
    fake.take_log();
    let changed = image(&[b"base", b"two"]);
    let report = client().push(&repository, &changed, &()).await.unwrap();
    assert_eq!(report.sent, [changed.layers[1].descriptor.digest]);
    assert_eq!(report.already_there.len(), 2);
    assert_eq!(fake.count("PUT", "/blobs/"), 1);
}

#[tokio::test]
async fn parallel_pushes_never_send_a_blob_twice() {
    let fake = Fake::start().await;
    let (registry, repository) = (client(), fake.repository("web"));
    let pushes = (0..20_u8).map(|number| {
        let own = layer(Bytes::from(vec![number; 1000]));
        let image = image_of(vec![layer(Bytes::from(vec![0xff; 3_000_000])), own]);
        let (registry, repository) = (registry.clone(), repository.clone());
        tokio::spawn(async move { registry.push(&repository, &image, &()).await.unwrap() })
    });
    for push in pushes.collect::<Vec<_>>() {
        push.await.unwrap();
    }
    assert_eq!(fake.count("PUT", "/blobs/"), 22); // 20 own layers, one shared, one configuration
    assert_eq!(fake.count("HEAD", "/blobs/"), 22);
    assert_eq!(fake.count("PUT", "/manifests/"), 20);
}

#[tokio::test]
async fn layers_of_the_same_registry_are_mounted() {
    for (mount, mounted, heads, posts, puts) in
        [(Mount::Done, 2, 1, 3, 1), (Mount::Session, 0, 3, 3, 3), (Mount::Refused, 0, 3, 5, 3)]
    {
        let fake = Fake::start().await;
        let (base, web) = (fake.repository("base"), fake.repository("web"));
        let image = image(&[b"one", b"two"]);
        client().push(&base, &image, &()).await.unwrap();
        fake.take_log();
        fake.state().mount = mount;
        let report = client().push(&web, &taken_from(&base, &image), &()).await.unwrap();
        assert_eq!((report.mounted.len(), report.sent.len()), (mounted, 3 - mounted));
        assert_eq!(fake.count("HEAD", "/v2/web/blobs/"), heads); // a mount tells what is there
        assert_eq!(fake.count("POST", "/v2/web/blobs/uploads/"), posts);
        assert_eq!(fake.count("PUT", "/v2/web/blobs/"), puts);
    }
}

#[tokio::test]
async fn each_blob_is_sent_once_to_a_registry_and_mounted_from_then_on() {
    let fake = Fake::start().await;
    let registry = client();
    let pushes = (0..10_u8).map(|number| {
        let own = layer(Bytes::from(vec![number; 1000]));
        let image = image_of(vec![layer(Bytes::from(vec![0xff; 3_000_000])), own]);
        let (registry, repository) = (registry.clone(), fake.repository(&format!("web-{number}")));
        tokio::spawn(async move { registry.push(&repository, &image, &()).await.unwrap() })
    });
    let mut mounted = 0;
    for push in pushes.collect::<Vec<_>>() {
        mounted += push.await.unwrap().mounted.len();
    }
    assert_eq!(mounted, 18); // the layer and the configuration, for all but the first who came
    assert_eq!(fake.count("PUT", "/blobs/"), 12);
}

#[tokio::test]
async fn what_a_repository_has_is_mounted_into_the_next() {
    let fake = Fake::start().await;
    let image = image(&[b"one", b"two"]);
    client().push(&fake.repository("web"), &image, &()).await.unwrap();
    let registry = client(); // a new one, which only looks at what is there
    registry.push(&fake.repository("web"), &image, &()).await.unwrap();
    let report = registry.push(&fake.repository("shop"), &image, &()).await.unwrap();
    assert_eq!((report.mounted.len(), report.sent.len()), (3, 0));
}

/// The manifest of the first push is refused until the second is seen to wait for it.
#[tokio::test]
async fn on_ecr_a_push_waits_for_the_manifest_of_an_older_one() {
    let fake = Fake::ecr(&["base", "web"]).await;
    fake.state().mount = Mount::Named;
    fake.fail("PUT", "/base/manifests/", usize::MAX, What::Answer(Reply::status(503)));
    let mut settings = crate::ecr::settings_with(&fake, Some(crate::ecr::credentials()));
    settings.patience.attempts = 1000;
    let (registry, image) = (Registry::new(settings).unwrap(), image(&[b"one"]));
    let (brought, mut all_brought) = tokio::sync::watch::channel(0);
    let count =
        |event| brought.send_modify(|count| *count += usize::from(matches!(event, Event::Done { .. })));
    let let_go = |event| {
        if matches!(event, Event::Waiting { whom: Whom::AnotherPush, .. }) {
            fake.state().faults.clear();
        }
    };
    let (base, web) = (fake.repository("base"), fake.repository("web"));
    let older = registry.push(&base, &image, &count);
    let younger = async {
        all_brought.wait_for(|count| *count == 2).await.unwrap();
        registry.push(&web, &image, &let_go).await
    };
    let (older, younger) = tokio::join!(older, younger);
    assert_eq!((older.unwrap().sent.len(), younger.unwrap().mounted.len()), (2, 2));
}

/// The first push cannot send anything until the second is seen to wait for it.
#[tokio::test]
async fn on_ecr_a_push_leaves_to_an_older_one_what_both_need() {
    let fake = Fake::ecr(&["base", "web"]).await;
    fake.state().mount = Mount::Named;
    fake.fail("PUT", "/base/blobs/uploads/", usize::MAX, What::Answer(Reply::status(503)));
    let mut settings = crate::ecr::settings_with(&fake, Some(crate::ecr::credentials()));
    settings.patience.attempts = 1000;
    let (registry, image) = (Registry::new(settings).unwrap(), image(&[b"one"]));
    let begun = tokio::sync::Notify::new();
    let retries = |event| {
        if matches!(event, Event::Retrying { .. }) {
            begun.notify_one();
        }
    };
    let let_go = |event| {
        if matches!(event, Event::Waiting { whom: Whom::AnotherPush, .. }) {
            fake.state().faults.clear();
        }
    };
    let (base, web) = (fake.repository("base"), fake.repository("web"));
    let younger = async {
        begun.notified().await;
        registry.push(&web, &image, &let_go).await
    };
    let (older, younger) = tokio::join!(registry.push(&base, &image, &retries), younger);
    assert_eq!((older.unwrap().sent.len(), younger.unwrap().mounted.len()), (2, 2));
}

#[tokio::test]
async fn ecr_mounts_what_a_manifest_of_another_push_names() {
    let fake = Fake::ecr(&["base", "web"]).await;
    fake.state().mount = Mount::Named;
    let (registry, image) = (crate::ecr::client(&fake), image(&[b"one", b"two"]));
    let (whole, waits) = (fake.repository("base"), fake.repository("web"));
    registry.push(&whole, &image, &()).await.unwrap();
    let report = registry.push(&waits, &image, &()).await.unwrap();
    assert_eq!((report.mounted.len(), report.sent.len()), (3, 0));
}

#[tokio::test]
async fn an_upload_that_broke_off_goes_on_where_it_did() {
    const SIZE: usize = 9_000_000;
    for (resumes, puts, sent) in [(true, 3, 1), (false, 3, 2)] {
        let fake = Fake::start().await;
        fake.state().resumes = resumes;
        fake.fail("PUT", "/blobs/uploads/", 1, What::Cut(5_000_000));
        let content: Vec<u8> = (0..=250).cycle().take(SIZE).collect();
        let image = image_of(vec![layer(content.clone().into())]);
        let events = Mutex::new(Vec::new());
        let progress = |event: Event| events.lock().unwrap().push(event);
        let digest = image.layers[0].descriptor.digest;
        // The small configuration goes first, so that it is the layer that breaks off.
        let config = image_of(Vec::new());
        fake.state().faults.iter_mut().for_each(|fault| fault.times = 0);
        client().push(&fake.repository("web"), &config, &()).await.unwrap();
        fake.state().faults.iter_mut().for_each(|fault| fault.times = 1);
        client().push(&fake.repository("web"), &image, &progress).await.unwrap();
        assert_eq!(fake.state().repositories["web"].blobs[&digest], content);
        let events = events.into_inner().unwrap();
        let started =
            events.iter().filter(|event| matches!(event, Event::Started { digest: of, .. } if *of == digest));
        assert_eq!(started.count(), sent);
        let resumed = events.contains(&Event::Resumed { digest, at: 5_000_000 });
        assert_eq!((resumed, fake.count("PATCH", "/blobs/")), (resumes, usize::from(resumes)));
        assert_eq!(fake.count("PUT", "/web/blobs/"), puts);
    }
}

#[tokio::test]
async fn a_report_tells_what_was_asked_and_a_tag_that_is_right_asks_once() {
    let fake = Fake::start().await;
    let (repository, tags) = (fake.repository("web"), ["1", "2"].map(|tag| tag.parse::<Tag>().unwrap()));
    let tree = Tree::from(image(&[b"one", b"two"]));
    let report = client().push_tree(&repository, &tree, &tags, &()).await.unwrap();
    let expected = Requests {
        manifests_read: 3, // both tags, and the digest beside the questions about blobs
        manifests_put: 2,
        blobs_checked: 3,
        uploads_started: 3,
        uploads: 3,
        ..Requests::default()
    };
    assert_eq!(report.requests, expected);
    assert_eq!(report.tags, tags.clone().map(|tag| (tag, TagOutcome::Created)));
    fake.take_log();
    let report = client().push_tree(&repository, &tree, &tags[..1], &()).await.unwrap();
    assert_eq!(report.tags, [(tags[0].clone(), TagOutcome::Unchanged)]);
    assert!(report.manifest_already_there);
    assert_eq!(fake.take_log(), ["HEAD /v2/web/manifests/1"]);
    // Under another tag it is found by its digest.
    let report = client().push_tree(&repository, &tree, &["3".parse().unwrap()], &()).await.unwrap();
    assert_eq!((report.requests.manifests_put, report.requests.uploads), (1, 0));
}

#[tokio::test]
async fn layers_of_another_registry_are_copied_without_its_password_going_elsewhere() {
    let (one, two, store) = (Fake::start().await, Fake::start().await, Fake::start().await);
    let (base, web) = (one.repository("base"), two.repository("web"));
    let image = image(&[b"one", b"two"]);
    client().push(&base, &image, &()).await.unwrap();
    client().push(&store.repository("base"), &image, &()).await.unwrap();
    store.take_log();
    one.state().challenge = Some(crate::fake::Challenge::Basic("hunter2"));
    one.state().blobs_elsewhere = Some(format!("http://{}/v2/base/blobs/", store.host));
    let registry = crate::access::client_of(&one, "hunter2");
    registry.push(&web, &taken_from(&base, &image), &()).await.unwrap();
    assert_eq!(two.state().repositories["web"].manifests.len(), 1);
    assert!(one.state().log.iter().any(|request| request.headers.contains_key("authorization")));
    let fetched = store.state().log.clone();
    assert_eq!(fetched.len(), 2);
    assert!(fetched.iter().all(|request| !request.headers.contains_key("authorization")));
}

#[tokio::test]
async fn a_file_is_streamed_and_told_about() {
    let fake = Fake::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content = vec![7; 3_000_000];
    file.write_all(&content).unwrap();
    let descriptor = Descriptor::of(media_type::OCI_LAYER, &content);
    let digest = descriptor.digest;
    let image = image_of(vec![Blob { descriptor, source: BlobSource::File(file.path().to_path_buf()) }]);
    let events = Mutex::new(Vec::new());
    let progress = |event: Event| events.lock().unwrap().push(event);
    client().push(&fake.repository("web"), &image, &progress).await.unwrap();
    assert_eq!(fake.state().repositories["web"].blobs[&digest], content);
    let events = events.into_inner().unwrap();
    let sent = events.iter().map(|event| match event {
        Event::Sent { digest: of, bytes } if *of == digest => *bytes,
        _ => 0,
    });
    assert_eq!(sent.sum::<u64>(), 3_000_000);
    assert!(events.contains(&Event::Started { digest, size: 3_000_000 }));
    assert!(events.contains(&Event::Done { digest, how: How::Sent }));
}

#[tokio::test]
async fn an_index_follows_its_manifests() {
    let fake = Fake::start().await;
    let (repository, image, registry) = (fake.repository("web"), image(&[b"one"]), client());
    let mut descriptor = image.manifest.descriptor();
    descriptor.platform = Some(Platform::linux_amd64());
    let index = Manifest::of_index(vec![descriptor], std::collections::BTreeMap::default());
    assert!(registry.push_manifest(&repository, &index).await.is_err());
    registry.push(&repository, &image, &()).await.unwrap();
    assert!(registry.push_manifest(&repository, &index).await.unwrap());
    assert!(!registry.push_manifest(&repository, &index).await.unwrap());
    let found = registry.manifest(&repository, &index.digest.into()).await.unwrap();
    assert_eq!(found, Some(index));
}
