use std::io::Write;

use super::*;

const REWRITE: Rewrite = Rewrite { compression: Compression::Gzip, latest: 1000 };

/// A tar archive of files by name and content, with times and a form that ours never have.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(1_700_000_000);
        header.set_username("me").unwrap();
        header.set_uid(1000);
        header.set_gid(1000);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const CONFIG: &[u8] =
    br#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#;

fn read(archive: &[u8]) -> Result<Exported, ArchiveError> {
    Exported::read(archive, REWRITE, &TempDir::new().unwrap())
}

#[test]
fn layers_are_found_whatever_the_form_of_the_archive() {
    let layer = tar(&[("etc/motd", b"hello")]);
    let manifest = br#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let image = |first: &[u8], second: &[u8]| {
        let files =
            [("VERSION", &b"1.0"[..]), ("a/layer.tar", first), ("b/layer.tar", second), ("c.json", CONFIG)];
        let exported = read(&tar(&[&files[..], &[("manifest.json", manifest)]].concat())).unwrap();
        assert_eq!(exported.layers.len(), 2);
        let digests: Vec<_> = exported.layers.iter().map(|layer| layer.blob.descriptor.digest).collect();
        let diff_ids: Vec<_> = exported.layers.iter().map(|layer| layer.diff_id).collect();
        assert_eq!(exported.config.rootfs.diff_ids, diff_ids);
        digests
    };
    let plain = image(&layer, &layer);
    assert_eq!(plain[0], plain[1]);
    assert_eq!(image(&gzip(&layer), &zstd::encode_all(&layer[..], 1).unwrap()), plain);
    let empty = image(&[0; 1024], &layer);
    assert_ne!(empty[0], empty[1]);
}

#[test]
fn a_link_to_another_layer_is_that_layer() {
    let mut builder = tar::Builder::new(tar(&[("c.json", CONFIG)])[..1024].to_vec());
    let layer = tar(&[("x", b"y")]);
    let mut header = tar::Header::new_gnu();
    header.set_size(layer.len() as u64);
    builder.append_data(&mut header, "a/layer.tar", &layer[..]).unwrap();
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "b/layer.tar", "../a/layer.tar").unwrap();
    let manifest = br#"[{"Config":"c.json","Layers":["b/layer.tar","a/layer.tar"]}]"#;
    let mut header = tar::Header::new_gnu();
    header.set_size(manifest.len() as u64);
    builder.append_data(&mut header, "manifest.json", &manifest[..]).unwrap();
    let exported = read(&builder.into_inner().unwrap()).unwrap();
    assert_eq!(exported.layers[0].diff_id, exported.layers[1].diff_id);
}

#[test]
fn an_owner_that_was_left_blank_is_root_and_a_damaged_one_an_error() {
    let entry = |owner: &[u8; 8]| {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_path("bin/").unwrap();
        header.set_entry_type(EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        header.as_old_mut().uid = *owner;
        header.as_old_mut().gid = *owner;
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
        let layer = REWRITE.layer(&builder.into_inner().unwrap()[..], &TempDir::new().unwrap());
        layer.map(|layer| layer.diff_id)
    };
    let root = entry(b"0000000\0").unwrap();
    assert_eq!(entry(&[0; 8]).unwrap(), root);
    assert_eq!(entry(b"       \0").unwrap(), root);
    assert!(entry(b"nobody!\0").is_err());
}

#[test]
fn entries_keep_what_counts_and_lose_the_hour() {
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_pax_extensions([
            ("SCHILY.xattr.security.capability", &b"\x01\x00cap"[..]),
            ("mtime", &b"1.5"[..]),
        ])
        .unwrap();
    let mut add = |path: &str, kind: EntryType, mtime: u64, link: Option<&str>| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o104_755);
        header.set_uid(1000);
        header.set_gid(7);
        header.set_mtime(mtime);
        header.set_size(0);
        if kind.is_character_special() {
            header.set_device_major(5).unwrap();
            header.set_device_minor(1).unwrap();
        }
        match link {
            Some(link) => builder.append_link(&mut header, path, link).unwrap(),
            None => builder.append_data(&mut header, path, io::empty()).unwrap(),
        }
    };
    add("./bin/ping", EntryType::Regular, 999, None);
    add("bin/.wh.gone", EntryType::Regular, 1001, None);
    add("bin", EntryType::Directory, 5000, None);
    add("bin/hard", EntryType::Link, 0, Some("bin/ping"));
    add("dev/console", EntryType::Char, 0, None);
    let layer = builder.into_inner().unwrap();
    let scratch = TempDir::new().unwrap();
    let layer = REWRITE.layer(&layer[..], &scratch).unwrap();
    let ecr_registry::BlobSource::Bytes(bytes) = layer.blob.source else { panic!("a file") };
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(&bytes[..]));
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let attributes = attributes(&mut entry).unwrap();
        let header = entry.header();
        assert_eq!((header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0o4755, 1000, 7));
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        seen.push((path, header.entry_type(), header.mtime().unwrap(), attributes.len()));
    }
    let expected = [
        ("bin/ping", EntryType::Regular, 999, 1),
        ("bin/.wh.gone", EntryType::Regular, 1000, 0),
        ("bin/", EntryType::Directory, 1000, 0),
        ("bin/hard", EntryType::Link, 0, 0),
        ("dev/console", EntryType::Char, 0, 0),
    ];
    assert_eq!(
        seen,
        expected.map(|(path, kind, mtime, attributes)| (path.to_owned(), kind, mtime, attributes))
    );
}

#[test]
fn what_is_no_image_is_an_error() {
    let check = |archive: &[u8], message: &str| assert_eq!(read(archive).unwrap_err().to_string(), message);
    check(b"", "the archive has no `manifest.json`");
    check(&[1; 2000], "the archive cannot be read");
    check(&tar(&[("manifest.json", b"{}")]), "`manifest.json` in the archive is not valid");
    check(&tar(&[("manifest.json", b"[]")]), "the archive has no `image`");
    let manifest = br#"[{"Config":"c.json","Layers":["a/layer.tar"]}]"#;
    check(&tar(&[("manifest.json", manifest)]), "the archive has no `c.json`");
    check(&tar(&[("manifest.json", manifest), ("c.json", CONFIG)]), "the archive has no `a/layer.tar`");
    let cut = &tar(&[("a/layer.tar", &tar(&[("x", &[7; 5000])])[..2000])]);
    check(cut, "the archive cannot be read");
    let many = tar(&[("x", &b""[..]); 2]);
    assert!(read(&many).is_err());
}
