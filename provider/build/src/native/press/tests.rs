use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use ecr_registry::Settings;

use super::*;
use crate::{Builder, stat_cache::Cache, tree::File};

/// A press with its caches in this folder, and how much its blobs may take.
fn press(folder: &Path, recipe: &Recipe) -> Press {
    let cache = Some(ecr_registry::Cache::new(folder.join("blobs"), 1 << 30));
    let registry = Registry::new(Settings { cache, ..Settings::default() }).unwrap();
    let (builder, cache, cancel) =
        (Builder::default(), Cache::in_folder(folder.join("files")), CancellationToken::new());
    let tools = Tools {
        builder: &builder,
        registry: &registry,
        destination: None,
        cache: &cache,
        progress: &(),
        cancel: &cancel,
    };
    Press::new(recipe, tools)
}

fn recipe() -> Recipe {
    Recipe::of(crate::recipe::How::Files(crate::recipe::FilesRecipe::default()))
}

/// A file of this text, somewhere.
fn nodes(path: &Path, text: &str) -> BTreeMap<String, Node> {
    fs::write(path, text).unwrap();
    let file = File {
        path: path.to_owned(),
        size: text.len() as u64,
        executable: false,
        digest: Digest::of(text.as_bytes()),
    };
    [("srv/file".to_owned(), Node::new(Content::File(file), 0o644, super::super::owner::Owner::default()))]
        .into()
}

fn pressed(folder: &Path, recipe: &Recipe, nodes: &BTreeMap<String, Node>) -> Result<Layer, BuildError> {
    press(folder, recipe).layer(nodes, None, &TempDir::new().unwrap())
}

#[test]
fn a_layer_that_was_made_before_is_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let nodes = nodes(&file, "text");
    let first = pressed(folder.path(), &recipe(), &nodes).unwrap();
    // It would be read.
    fs::remove_file(&file).unwrap();
    let scratch = TempDir::new().unwrap();
    let again = press(folder.path(), &recipe()).layer(&nodes, None, &scratch).unwrap();
    assert_eq!((again.diff_id, &again.blob.descriptor), (first.diff_id, &first.blob.descriptor));
    let BlobSource::File(given) = &again.blob.source else { panic!("{:?}", again.blob) };
    assert_eq!(Digest::of(&fs::read(given).unwrap()), first.blob.descriptor.digest);
    // The image that is built of it does not need the cache any more.
    fs::remove_dir_all(folder.path().join("blobs")).unwrap();
    assert!(given.exists());
    assert!(pressed(folder.path(), &recipe(), &nodes).is_err(), "nothing else has it");
}

#[test]
fn whatever_decides_about_its_bytes_makes_another_layer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let same = nodes(&file, "text");
    let key = |recipe: &Recipe, nodes: &BTreeMap<String, Node>| press(folder.path(), recipe).key(nodes);
    let changed = |change: fn(&mut Node)| {
        let mut nodes = same.clone();
        change(nodes.get_mut("srv/file").unwrap());
        key(&recipe(), &nodes)
    };
    let elsewhere = nodes(&folder.path().join("other"), "text");
    assert_eq!(key(&recipe(), &same), key(&recipe(), &elsewhere));
    let renamed = BTreeMap::from([("srv/other".to_owned(), same["srv/file"].clone())]);
    let keys = [
        key(&recipe(), &same),
        key(&Recipe { compression: Compression::Zstd, ..recipe() }, &same),
        key(&Recipe { source_date_epoch: 1, ..recipe() }, &same),
        key(&recipe(), &nodes(&file, "more")),
        key(&recipe(), &renamed),
        changed(|node| node.mode = 0o600),
        changed(|node| node.owner.uid = 1),
        changed(|node| node.owner.gid = 1),
        changed(|node| node.content = Content::Link("text".to_owned())),
        changed(|node| node.content = Content::Folder),
        changed(|node| drop(node.attributes.insert("a".to_owned(), vec![1]))),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
}

#[test]
fn a_damaged_cache_costs_time_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(&folder.path().join("file"), "text");
    let first = pressed(folder.path(), &recipe(), &nodes).unwrap();
    let record = folder.path().join("files/layers").join(press(folder.path(), &recipe()).key(&nodes).hex());
    let hex = first.blob.descriptor.digest.hex();
    let blob = folder.path().join("blobs/sha256").join(&hex[..2]).join(&hex);
    let whole = fs::read_to_string(&record).unwrap();
    let other = Digest::of(b"other").to_string();
    let forged = whole.replace(&first.blob.descriptor.digest.to_string(), &other);
    for (path, damaged) in
        [(&record, ""), (&record, &whole[..80]), (&record, &*forged), (&blob, ""), (&blob, "x")]
    {
        fs::write(path, damaged).unwrap();
        let again = pressed(folder.path(), &recipe(), &nodes).unwrap();
        assert_eq!(again.blob.descriptor, first.blob.descriptor);
        assert_eq!(fs::read_to_string(&record).unwrap(), whole);
        assert_eq!(Digest::of(&fs::read(&blob).unwrap()), first.blob.descriptor.digest);
    }
    // Nor does one that nobody can write to.
    fs::remove_dir_all(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files"), "no folder").unwrap();
    assert_eq!(pressed(folder.path(), &recipe(), &nodes).unwrap().blob.descriptor, first.blob.descriptor);
}

#[test]
fn the_oldest_records_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(&folder.path().join("file"), "text");
    let layer = pressed(folder.path(), &recipe(), &nodes).unwrap();
    let records = folder.path().join("records");
    fs::create_dir(&records).unwrap();
    for number in 0..MOST {
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64);
        fs::File::create(records.join(format!("{number:05}"))).unwrap().set_modified(old).unwrap();
    }
    let key = Digest::of(b"key");
    write(&records, &key, &layer).unwrap();
    let left = fs::read_dir(&records).unwrap().count();
    assert_eq!(left, MOST - MOST / 10);
    assert!(!records.join("00000").exists() && records.join("04095").exists());
    assert!(read(&records.join(key.hex()), &key).is_some());
}
