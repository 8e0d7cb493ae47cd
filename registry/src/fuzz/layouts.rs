use std::{fs, path::Path};

use crate::{
    content::{Image, Layout, Tree, Wanted},
    names::{Digest, Platform},
};

/// A folder in the OCI image layout: `index.json` and blobs, each after the byte 255. `@1` to `@9` in one of them
/// stands for the digest of one that comes so many later.
pub fn layouts(data: &[u8]) {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 255).take(16).collect();
    let folder = tempfile::tempdir().unwrap();
    let index = write_blobs(folder.path(), &parts);
    fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(folder.path().join("index.json"), index).unwrap();
    let Ok(layout) = Layout::open(folder.path()) else { return };
    let platform = Platform::linux_amd64();
    let wanted = [Wanted::All, Wanted::One(platform.clone()), Wanted::Only(vec![platform])];
    for name in layout.names().iter().take(4).map(|name| Some(name.as_str())).chain([None]) {
        let Ok(entry) = layout.find(name) else { continue };
        for wanted in &wanted {
            layout.tree(entry, wanted).iter().for_each(|tree| is_whole(&layout, tree));
        }
        _ = layout.verify(entry);
    }
}

/// The last first, as each may name those after it. Gives back the first.
fn write_blobs(folder: &Path, parts: &[&[u8]]) -> Vec<u8> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let mut later: Vec<Digest> = Vec::new();
    let mut content = Vec::new();
    for part in parts.iter().rev() {
        content = named(part, &later);
        let digest = Digest::of(&content);
        fs::write(blobs.join(digest.hex()), &content).unwrap();
        later.insert(0, digest);
    }
    content
}

fn named(part: &[u8], later: &[Digest]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut bytes = part.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let number = bytes.peek().filter(|_| byte == b'@').map(|next| usize::from(next.wrapping_sub(b'1')));
        match number.and_then(|number| later.get(number)) {
            Some(digest) => {
                content.extend_from_slice(digest.to_string().as_bytes());
                bytes.next();
            }
            None => content.push(byte),
        }
    }
    content
}

/// All that the tree names is there in its length, and what names comes after what is named.
fn is_whole(layout: &Layout, tree: &Tree) {
    assert!(tree.images.iter().flat_map(Image::blobs).all(|blob| layout.has(&blob.descriptor)));
    let mut there: Vec<Digest> = tree.images.iter().map(|image| image.manifest.digest).collect();
    for index in &tree.indexes {
        assert!(index.children().iter().all(|child| there.contains(&child.digest)), "{tree:?}");
        there.push(index.digest);
    }
    assert!(there.contains(&tree.root.digest));
}
