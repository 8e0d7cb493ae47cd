//! What is left to do for an image or index under its tags, from what was seen. Decides; sends nothing.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::{
    content::{Blob, Image},
    names::{Digest, Tag},
};

/// What is left to do for the root of what is pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Whether the root is in the repository for sure, and with it all that it names.
    pub(super) is_there: bool,
    /// The tags that point at it already.
    pub(super) settled: Vec<Tag>,
    /// The tags to point at it, with what they pointed at when they were looked at.
    pub(super) to_point: Vec<(Tag, Option<Digest>)>,
}

impl Plan {
    /// For a root of this digest and the tags as they were seen.
    pub(super) fn of(root: Digest, seen: Vec<(Tag, Option<Digest>)>) -> Self {
        let (settled, to_point): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(_, at)| *at == Some(root));
        let settled: Vec<Tag> = settled.into_iter().map(|(tag, _)| tag).collect();
        Self { is_there: !settled.is_empty(), settled, to_point }
    }
}

/// The blobs of an image in the order in which they are begun, each once: the largest first, so that none of them is
/// left alone at the end.
pub(super) fn in_order(image: &Image) -> Vec<&Blob> {
    let each: BTreeMap<Digest, &Blob> = image.blobs().map(|blob| (blob.descriptor.digest, blob)).collect();
    let mut blobs: Vec<&Blob> = each.into_values().collect();
    blobs.sort_by_key(|blob| Reverse(blob.descriptor.size));
    blobs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> Tag {
        name.parse().unwrap()
    }

    #[test]
    fn what_is_left_to_do() {
        let [root, other] = [b"root", b"none"].map(|text| Digest::of(text));
        let check = |seen: &[(&str, Option<Digest>)], is_there, settled: &[&str], to_point: &[&str]| {
            let plan = Plan::of(root, seen.iter().map(|(name, at)| (tag(name), *at)).collect());
            let pointed: Vec<&str> = plan.to_point.iter().map(|(tag, _)| tag.as_str()).collect();
            assert_eq!((plan.is_there, pointed.as_slice()), (is_there, to_point), "{seen:?}");
            assert_eq!(plan.settled, settled.iter().map(|name| tag(name)).collect::<Vec<_>>(), "{seen:?}");
        };
        check(&[], false, &[], &[]);
        check(&[("1", None)], false, &[], &["1"]);
        check(&[("1", Some(other))], false, &[], &["1"]);
        check(&[("1", Some(root))], true, &["1"], &[]);
        check(&[("1", None), ("2", Some(root)), ("3", Some(other))], true, &["2"], &["1", "3"]);
    }
}
