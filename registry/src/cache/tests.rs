use super::*;

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor::new("application/octet-stream", Digest::of(bytes), bytes.len() as u64)
}

/// A hundred bytes that no other number has.
fn content(number: usize) -> Bytes {
    format!("{number:0100}").into()
}

#[tokio::test]
async fn what_goes_in_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("a/b"), 10_000);
    let bytes = content(1);
    assert_eq!(cache.read(&blob(&bytes)).await, None);
    cache.keep_bytes(&blob(&bytes), bytes.clone()).await;
    assert_eq!(cache.read(&blob(&bytes)).await, Some(bytes.clone()));
    let file = folder.path().join("file");
    fs::write(&file, "old").unwrap();
    assert!(cache.fetch(&blob(&bytes), &file).await);
    assert_eq!(fs::read(&file).unwrap(), bytes);
    fs::write(&file, content(2)).unwrap();
    cache.keep(&blob(&content(2)), &file).await;
    assert!(cache.has(&Digest::of(&content(2))) && !cache.has(&Digest::of(b"none")));
    let missing = cache.fetch(&blob(b"none"), &file).await;
    assert!(!missing && fs::read(&file).unwrap() == content(2));
}

#[test]
fn what_was_made_here_is_given_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("cache"), 10_000);
    let (file, to) = (folder.path().join("file"), folder.path().join("to"));
    let (one, two) = (blob(&content(1)), blob(&content(2)));
    cache.take(&Blob { descriptor: one.clone(), source: BlobSource::Bytes(content(1)) });
    fs::write(&file, content(2)).unwrap();
    cache.take(&Blob { descriptor: two.clone(), source: BlobSource::File(file.clone()) });
    fs::remove_file(&file).unwrap();
    for (blob, bytes) in [(&one, content(1)), (&two, content(2))] {
        assert!(cache.give(blob, &to) && fs::read(&to).unwrap() == bytes);
        // It stays when the cache needs the room.
        fs::remove_file(cache.0.path(&blob.digest)).unwrap();
        assert_eq!(fs::read(&to).unwrap(), bytes);
        fs::remove_file(&to).unwrap();
        assert!(!cache.give(blob, &to));
    }
    // A damaged one is not given out, and goes away.
    cache.take(&Blob { descriptor: one.clone(), source: BlobSource::Bytes(content(1)) });
    fs::write(cache.0.path(&one.digest), "damaged").unwrap();
    assert!(!cache.give(&one, &to) && !cache.has(&one.digest) && !to.exists());
}

#[tokio::test]
async fn damaged_blobs_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path(), 10_000);
    let (bytes, blob) = (content(1), blob(&content(1)));
    let mut longer = bytes.to_vec();
    longer.push(b'x');
    for damaged in [&b""[..], &bytes[..99], &longer, &content(2)] {
        cache.keep_bytes(&blob, bytes.clone()).await;
        fs::write(cache.0.path(&blob.digest), damaged).unwrap();
        assert_eq!(cache.read(&blob).await, None);
        assert!(!cache.has(&blob.digest));
    }
    // What is not as long as it should be does not even get in.
    cache.keep_bytes(&blob, bytes.slice(1..)).await;
    cache.keep_bytes(&blob, longer.into()).await;
    assert!(!cache.has(&blob.digest) && !cache.0.closed.load(Ordering::Relaxed));
}

#[tokio::test]
async fn the_longest_unused_blob_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path(), 500);
    let day = |number: u64| SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(24 * number);
    for number in 0..5 {
        cache.keep_bytes(&blob(&content(number)), content(number)).await;
        let file = File::open(cache.0.path(&Digest::of(&content(number)))).unwrap();
        file.set_modified(day(number as u64)).unwrap();
    }
    assert!(cache.read(&blob(&content(0))).await.is_some()); // used just now
    cache.keep_bytes(&blob(&content(5)), content(5)).await;
    let there: Vec<usize> = (0..6).filter(|&number| cache.has(&Digest::of(&content(number)))).collect();
    assert_eq!(there, [0, 3, 4, 5]);
    let large: Bytes = vec![7; 251].into();
    cache.keep_bytes(&blob(&large), large.clone()).await;
    assert!(!cache.has(&Digest::of(&large)));
    assert_eq!(fs::read_dir(cache.0.unfinished()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_no_failure() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let cache = Cache::new(file.path(), 10_000);
    let (bytes, blob) = (content(1), blob(&content(1)));
    cache.keep_bytes(&blob, bytes.clone()).await;
    assert!(cache.0.closed.load(Ordering::Relaxed));
    assert_eq!(cache.read(&blob).await, None);
    assert!(!cache.fetch(&blob, &file.path().join("to")).await);
}

/// As several processes would: each with a cache of its own in the same folder, which holds far too little for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_use_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let user = |first: usize| {
        let (cache, to) = (Cache::new(folder.path(), 1000), folder.path().join(first.to_string()));
        async move {
            for number in (0..100).map(|step| (first + step) % 20) {
                let (bytes, blob) = (content(number), blob(&content(number)));
                cache.keep_bytes(&blob, bytes.clone()).await;
                if cache.fetch(&blob, &to).await {
                    assert_eq!(fs::read(&to).unwrap(), bytes);
                }
                if let Some(read) = cache.read(&blob).await {
                    assert_eq!(read, bytes);
                }
            }
            assert!(!cache.0.closed.load(Ordering::Relaxed));
        }
    };
    let users: Vec<_> = (0..8).map(|first| tokio::spawn(user(first))).collect();
    for user in users {
        user.await.unwrap();
    }
    Cache::new(folder.path(), 1000).0.trim().unwrap();
    let left =
        (0..20).filter(|&number| Cache::new(folder.path(), 1000).has(&Digest::of(&content(number)))).count();
    assert!(left <= 10, "{left}");
}

#[test]
fn the_users_folder_is_found() {
    let check = |variables: &[(&str, &str)], expected: Option<&str>| {
        let variable = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
        };
        assert_eq!(cache_path(variable), expected.map(PathBuf::from));
    };
    check(&[("HOME", "/home/ada"), ("XDG_CACHE_HOME", "/c")], Some("/c/ecr-registry/blobs"));
    check(&[("HOME", "/home/ada"), ("XDG_CACHE_HOME", "")], Some("/home/ada/.cache/ecr-registry/blobs"));
    check(&[], None);
}
