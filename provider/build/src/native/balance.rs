//! Much content as several layers: they are compressed, sent and fetched side by side, and a small change sends little.
//!
//! A file's path decides which layer it is in, so that neither a new file nor a longer one moves the others. Folders and
//! links are all in the first layer, which is unpacked before the rest.

use std::collections::BTreeMap;

use ecr_registry::Digest;

use super::file_system::{Content, Node};

/// What a layer has before it becomes two, in bytes.
const LAYER: u64 = 64 << 20;
/// The most layers that one becomes.
const MOST: usize = 8;

impl Node {
    /// Of its content, in bytes.
    pub(super) fn size(&self) -> u64 {
        match &self.content {
            Content::File(file) => file.size,
            Content::Packed(packed) => packed.size,
            Content::Text(text) => text.len() as u64,
            Content::Folder | Content::Link(_) | Content::Special => 0,
        }
    }
}

/// The layers that what a step wrote becomes: one, two, four or eight, so that their number seldom changes.
pub(super) fn layers(nodes: BTreeMap<String, Node>) -> Vec<BTreeMap<String, Node>> {
    let size: u64 = nodes.values().map(Node::size).sum();
    let mut count = 1;
    while count < MOST && size > LAYER * count as u64 {
        count *= 2;
    }
    let mut layers = vec![BTreeMap::new(); count];
    for (path, node) in nodes {
        let layer = if node.size() > 0 { place(&path, count) } else { 0 };
        layers[layer].insert(path, node);
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

/// By the first digit of the path's digest.
fn place(path: &str, count: usize) -> usize {
    let digit = Digest::of(path.as_bytes()).hex().chars().next().and_then(|digit| digit.to_digit(16));
    digit.map_or(0, |digit| digit as usize % count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{native::owner::Owner, tree::File};

    fn files(count: u64, size: u64) -> BTreeMap<String, Node> {
        let file = |index| {
            let file = File { path: "x".into(), size, executable: false, digest: Digest::of(b"") };
            (format!("d/{index}"), Node::new(Content::File(file), 0o644, Owner::default()))
        };
        let folder = ("d".to_owned(), Node::new(Content::Folder, 0o755, Owner::default()));
        (0..count).map(file).chain([folder]).collect()
    }

    #[test]
    fn much_content_becomes_several_layers() {
        for (count, size, expected) in
            [(0, 0, 1), (64, 1 << 20, 1), (65, 1 << 20, 2), (200, 1 << 20, 4), (2000, 1 << 20, 8)]
        {
            let layers = layers(files(count, size));
            assert_eq!(layers.len(), expected, "{count} of {size}");
            assert!(layers[0].contains_key("d"));
            let sizes: Vec<u64> = layers.iter().map(|layer| layer.values().map(Node::size).sum()).collect();
            let largest = sizes.iter().max().unwrap();
            assert!(largest * expected as u64 <= 2 * count * size + size, "{sizes:?}");
        }
    }

    #[test]
    fn one_more_file_moves_no_other() {
        let (before, after) = (layers(files(500, 1 << 20)), layers(files(501, 1 << 20)));
        let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        assert_eq!((before.len(), after.len(), changed), (8, 8, 1));
    }
}
