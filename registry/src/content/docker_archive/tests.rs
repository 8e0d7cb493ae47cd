use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    [&[0x1f, 0x8b, 8], bytes].concat() // nobody here unpacks it
}

fn image(layers: &[Vec<u8>]) -> Image {
    let diff_ids = layers.iter().map(|layer| Digest::of(layer)).collect();
    let rootfs = crate::content::RootFs { diff_ids, ..Default::default() };
    let (architecture, os) = ("amd64".to_owned(), "linux".to_owned());
    let config = ImageConfig { architecture, os, rootfs, ..ImageConfig::default() };
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let layer = |bytes: &Vec<u8>| {
        Blob::of_bytes(media_type::layer(Compression::of_content(bytes)), bytes.clone().into())
    };
    let layers: Vec<Blob> = layers.iter().map(layer).collect();
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

fn written(images: &[(Image, Vec<Reference>)]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    write_docker_archive(images, file.reopen().unwrap()).unwrap();
    file
}

fn names(names: &[&str]) -> Vec<Reference> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn what_is_written_is_read_again() {
    let one = image(&[b"plain".to_vec(), gzip(b"x"), b"plain".to_vec()]);
    let two = image(&[b"plain".to_vec()]);
    let images = [(one.clone(), names(&["debian:12", "ghcr.io/a:1"])), (two.clone(), Vec::new())];
    let file = written(&images);
    assert_eq!(fs_len(&file), fs_len(&written(&images)));
    let archive = DockerArchive::open(file.path()).unwrap();
    assert_eq!(archive.names(), ["docker.io/library/debian:12", "ghcr.io/a:1"]);
    for name in ["debian:12", "docker.io/library/debian:12", "ghcr.io/a:1"] {
        let found = archive.image(Some(name)).unwrap();
        assert_eq!(found.manifest, one.manifest, "{name}");
        for (found, expected) in found.blobs().zip(one.blobs()) {
            let mut bytes = Vec::new();
            copy_checked(&mut reader(found).unwrap(), &mut bytes, &expected.descriptor).unwrap();
        }
    }
    assert!(matches!(archive.image(None).unwrap_err().problem, LocalProblem::NotNamed(_)));
    let error = archive.image(Some("debian:13")).unwrap_err().problem.to_string();
    assert!(error.starts_with("it has no image named `debian:13`; it has docker.io"), "{error}");
    assert_eq!(
        DockerArchive::open(written(&images[1..]).path()).unwrap().image(None).unwrap().layers.len(),
        1
    );
}

fn fs_len(file: &tempfile::NamedTempFile) -> u64 {
    file.as_file().metadata().unwrap().len()
}

#[test]
fn what_is_wrong_is_told() {
    let check = |files: &[(&str, &[u8])], expected: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut archive = tar::Builder::new(file.reopen().unwrap());
        for (name, content) in files {
            append(&mut archive, name, &Blob::of_bytes("", content.to_vec().into())).unwrap();
        }
        archive.finish().unwrap();
        let error = DockerArchive::open(file.path()).and_then(|archive| archive.image(None)).unwrap_err();
        assert_eq!(error.problem.to_string(), expected);
    };
    let good = image(&[b"layer".to_vec()]);
    let BlobSource::Bytes(config) = &good.config.source else { panic!("not in memory") };
    let item = r#"[{"Config":"c","RepoTags":null,"Layers":["l"]}]"#.as_bytes();
    check(&[], "it has no `manifest.json`");
    check(&[("manifest.json", b"[]")], "it has no `image in manifest.json`");
    check(&[("manifest.json", b"{}")], "`manifest.json` is not what belongs there");
    check(&[("manifest.json", item)], "it has no `c`");
    check(&[("manifest.json", item), ("c", b"[")], "`c` is not what belongs there");
    check(&[("manifest.json", item), ("c", config)], "it has no `l`");
    let other = Digest::of(b"other");
    let expected = format!("`l` has digest {other}, not {}", Digest::of(b"layer"));
    check(&[("manifest.json", item), ("c", config), ("l", b"other")], &expected);
    let more = r#"[{"Config":"c","Layers":["l","l"]}]"#.as_bytes();
    let expected = "entry `c` of the archive has not as many layers as the archive";
    check(&[("manifest.json", more), ("c", config), ("l", b"layer")], expected);
    let climbing = r#"[{"Config":"../../etc/passwd","Layers":[]}]"#.as_bytes();
    check(&[("manifest.json", climbing)], "it has no `../../etc/passwd`");
    let big = vec![b' '; 4 * 1024 * 1024 + 1];
    check(&[("manifest.json", &big)], "`manifest.json` is longer than the limit of 4194304 bytes");
}
