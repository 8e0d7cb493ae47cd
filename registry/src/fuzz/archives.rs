use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
};

use crate::{
    content::{BlobSource, DockerArchive, Image, Manifest},
    names::Digest,
};

/// An archive in the form of `docker save`. By the first byte, the checksums of its headers are made right before:
/// they keep a fuzzer out as they keep nobody else.
pub fn archives(data: &[u8]) {
    let Some((&first, archive)) = data.split_first() else { return };
    let mut archive = archive.to_vec();
    if first % 2 == 1 {
        mend_checksums(&mut archive);
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&archive).unwrap();
    let Ok(opened) = DockerArchive::open(file.path()) else { return };
    let names = opened.names();
    for name in names.iter().take(4).map(|name| Some(name.as_str())).chain([None]) {
        if let Ok(image) = opened.image(name) {
            is_in(&image, &archive);
        }
    }
}

/// Every layer is a part of the archive with the digest that it is said to have; the manifest can be read again.
fn is_in(image: &Image, archive: &[u8]) {
    for layer in &image.layers {
        let BlobSource::Part { file, offset } = &layer.source else { panic!("{:?}", layer.source) };
        assert!(offset + layer.descriptor.size <= archive.len() as u64);
        let mut part = File::open(file).unwrap();
        part.seek(SeekFrom::Start(*offset)).unwrap();
        let mut bytes = Vec::new();
        part.take(layer.descriptor.size).read_to_end(&mut bytes).unwrap();
        assert_eq!(Digest::of(&bytes), layer.descriptor.digest);
    }
    let Manifest { media_type, raw, .. } = &image.manifest;
    assert_eq!(Manifest::parse(media_type, raw.clone()).unwrap(), image.manifest);
}

const BLOCK: usize = 512;

/// Goes from header to header as their sizes say.
fn mend_checksums(archive: &mut [u8]) {
    let mut position = 0;
    while let Some(bytes) = archive.get_mut(position..position + BLOCK) {
        if bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        bytes[148..156].fill(b' ');
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&bytes[124..135]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 8).ok()).unwrap_or_default();
        position = position.saturating_add(BLOCK).saturating_add(size).next_multiple_of(BLOCK);
    }
}
