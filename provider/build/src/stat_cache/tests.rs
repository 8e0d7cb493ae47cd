use std::{os::unix::fs::PermissionsExt, path::PathBuf, thread};

use super::*;

fn file(folder: &Path, content: &str) -> (PathBuf, fs::Metadata) {
    let path = folder.join("file");
    fs::write(&path, content).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    (path, metadata)
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_mins(1)
}

#[test]
fn knows_a_file_until_anything_of_it_changes() {
    let (root, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::in_folder(cache.path().join("new"));
    let (path, metadata) = file(root.path(), "one");
    let digest = Digest::of(b"one");
    cache.open(root.path(), "").keep(Record::new(&metadata, digest, later()).into_iter().collect());
    assert_eq!(cache.open(root.path(), "").digest(&metadata), Some(digest));
    assert_eq!(cache.open(root.path(), "other").digest(&metadata), None);
    assert_eq!(cache.open(&root.path().join("."), "").digest(&metadata), Some(digest));
    // Equal size and equal modification time: the time of the change gives it away.
    let before = metadata.modified().unwrap();
    let changed = loop {
        fs::write(&path, "two").unwrap();
        fs::File::options().append(true).open(&path).unwrap().set_modified(before).unwrap();
        let changed = fs::metadata(&path).unwrap();
        if (changed.ctime(), changed.ctime_nsec()) != (metadata.ctime(), metadata.ctime_nsec()) {
            break changed;
        }
    };
    assert_eq!((changed.len(), changed.modified().unwrap()), (metadata.len(), before));
    assert_eq!(cache.open(root.path(), "").digest(&changed), None);
    cache.open(root.path(), "").keep(Vec::new());
    assert_eq!(cache.open(root.path(), "").digest(&metadata), None);
}

#[test]
fn does_not_remember_the_young() {
    let root = tempfile::tempdir().unwrap();
    let (_, metadata) = file(root.path(), "one");
    let (modified, digest) = (metadata.modified().unwrap(), Digest::of(b"one"));
    for (age, remembered) in [(0, false), (1, false), (60, true)] {
        let now = modified + Duration::from_secs(age);
        assert_eq!(Record::new(&metadata, digest, now).is_some(), remembered, "{age} s");
    }
    assert!(Record::new(&metadata, digest, modified - Duration::from_mins(1)).is_none());
}

#[test]
fn damage_costs_time_and_nothing_else() {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::in_folder(folder.path());
    let (_, metadata) = file(root.path(), "one");
    let records: Vec<Record> = Record::new(&metadata, Digest::of(b"one"), later()).into_iter().collect();
    cache.open(root.path(), "").keep(records.clone());
    let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(cache.open(root.path(), "").records, [], "{length} bytes");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).unwrap();
        assert_eq!(cache.open(root.path(), "").records, [], "byte {at}");
    }
    cache.open(root.path(), "").keep(records.clone());
    assert_eq!(cache.open(root.path(), "").records, records);
}

#[test]
fn a_folder_that_cannot_be_made_is_no_error() {
    let root = tempfile::tempdir().unwrap();
    let (path, metadata) = file(root.path(), "one");
    for cache in [Cache::none(), Cache::in_folder(path.join("below a file"))] {
        let records = Record::new(&metadata, Digest::of(b"one"), later()).into_iter().collect();
        cache.open(root.path(), "").keep(records);
        assert_eq!(cache.open(root.path(), "").digest(&metadata), None);
    }
}

#[test]
fn is_for_its_user_alone() {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, metadata) = file(root.path(), "one");
    let inner = folder.path().join("cache");
    let records = Record::new(&metadata, Digest::of(b"one"), later()).into_iter().collect();
    Cache::in_folder(&inner).open(root.path(), "").keep(records);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    let file = fs::read_dir(&inner).unwrap().next().unwrap().unwrap().path();
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn several_may_write_at_once() {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, metadata) = file(root.path(), "one");
    let cache = Cache::in_folder(folder.path());
    let record = |content: &str| Record::new(&metadata, Digest::of(content.as_bytes()), later()).unwrap();
    thread::scope(|scope| {
        for content in ["one", "two"] {
            let (cache, root, record) = (&cache, root.path(), record(content));
            scope.spawn(move || {
                for _ in 0..50 {
                    cache.open(root, "").keep(vec![record]);
                    assert_eq!(cache.open(root, "").records.len(), 1);
                }
            });
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn lives_where_caches_do() {
    let place = |variables: &[(&str, &str)]| {
        let variable = |name: &str| Some(variables.iter().find(|(key, _)| *key == name)?.1.to_owned());
        Cache::from_environment(variable)
    };
    assert_eq!(place(&[("HOME", "/home/me")]), Cache::in_folder("/home/me/.cache/eks-deploy/files"));
    assert_eq!(
        place(&[("HOME", "/home/me"), ("XDG_CACHE_HOME", "/caches")]),
        Cache::in_folder("/caches/eks-deploy/files")
    );
    assert_eq!(place(&[("XDG_CACHE_HOME", "relative")]), Cache::none());
}
