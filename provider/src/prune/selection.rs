//! Which images are deleted, as a pure function of what is there.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use ecr_registry::{Digest, EcrImage, Tag};

use crate::tag_pattern::TagPattern;

/// What is asked for.
pub(super) struct Criteria<'a> {
    /// So many of the newest stay.
    pub(super) keep: usize,
    /// Only what was pushed before this.
    pub(super) pushed_before: Option<SystemTime>,
    /// Only images whose tags are all like this.
    pub(super) tag_pattern: Option<&'a TagPattern>,
}

/// What is to be deleted: each index before the images that it names.
#[derive(Debug, PartialEq)]
pub(super) struct Selected {
    pub(super) images: Vec<EcrImage>,
    /// How many images there are.
    pub(super) all: usize,
}

/// Selects among images, of which some are indexes with these parts.
pub(super) fn select(
    images: Vec<EcrImage>,
    parts: &BTreeMap<Digest, Vec<Digest>>,
    criteria: &Criteria<'_>,
) -> Selected {
    let there: BTreeSet<Digest> = images.iter().map(|image| image.digest).collect();
    // Who an image belongs to: the indexes that name it, and the image it is about.
    let mut owners: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
    for (index, children) in parts {
        for child in children {
            owners.entry(*child).or_default().push(*index);
        }
    }
    for image in &images {
        let subject = subject(image).filter(|subject| there.contains(subject));
        if let Some(subject) = subject {
            owners.entry(image.digest).or_default().push(subject);
        }
    }
    let own = images.iter().filter(|image| !owners.contains_key(&image.digest) && criteria.means(image));
    let mut own: Vec<&EcrImage> = own.collect();
    own.sort_by_key(|image| (Reverse(image.pushed_at), image.digest));
    let mut deleted: BTreeSet<Digest> = own
        .into_iter()
        .skip(criteria.keep)
        .filter(|image| criteria.is_old(image))
        .map(|image| image.digest)
        .collect();
    loop {
        let goes = |image: &&EcrImage| {
            let owners = owners.get(&image.digest).map(Vec::as_slice).unwrap_or_default();
            // A part of an index with a tag of its own is an image of its own once the index is gone.
            let is_loose = image.tags.is_empty() || subject(image).is_some();
            is_loose && !owners.is_empty() && owners.iter().all(|owner| deleted.contains(owner))
        };
        let more: Vec<Digest> = images
            .iter()
            .filter(goes)
            .map(|image| image.digest)
            .filter(|digest| !deleted.contains(digest))
            .collect();
        if more.is_empty() {
            break;
        }
        deleted.extend(more);
    }
    let all = images.len();
    let mut images: Vec<EcrImage> =
        images.into_iter().filter(|image| deleted.contains(&image.digest)).collect();
    images.sort_by_key(|image| (owners.contains_key(&image.digest), Reverse(image.pushed_at), image.digest));
    Selected { images, all }
}

/// The image that an artifact is about, by its manifest or by the tag that stands for that: `sha256-….sig`.
fn subject(image: &EcrImage) -> Option<Digest> {
    let of_tag = |tag: &Tag| {
        let hex = tag.as_str().strip_prefix("sha256-")?.split('.').next()?;
        format!("sha256:{hex}").parse().ok()
    };
    image.subject.or_else(|| image.tags.iter().find_map(of_tag))
}

impl Criteria<'_> {
    fn means(&self, image: &EcrImage) -> bool {
        let has_tags = !image.tags.is_empty() && image.odd_tags.is_empty();
        self.tag_pattern.is_none_or(|pattern| has_tags && image.tags.iter().all(|tag| pattern.matches(tag)))
    }

    /// What nobody knows the age of is not old.
    fn is_old(&self, image: &EcrImage) -> bool {
        self.pushed_before.is_none_or(|before| image.pushed_at.is_some_and(|pushed| pushed < before))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ecr_registry::ImageStatus;

    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    /// `name[:tag,tag][>subject]`, each pushed a second after the one before.
    fn image((second, text): (usize, &str)) -> EcrImage {
        let (text, subject) =
            text.split_once('>').map_or((text, None), |(text, subject)| (text, Some(digest(subject))));
        let (name, tags) = text.split_once(':').unwrap_or((text, ""));
        let tags = tags.split(',').filter(|tag| !tag.is_empty()).map(|tag| tag.parse().unwrap()).collect();
        EcrImage {
            digest: digest(name),
            tags,
            odd_tags: Vec::new(),
            media_type: None,
            artifact_type: None,
            size: Some(1),
            pushed_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second as u64)),
            pulled_at: None,
            subject,
            status: ImageStatus::Active,
        }
    }

    #[track_caller]
    fn check(
        images: &str,
        indexes: &str,
        (keep, before, pattern): (usize, Option<u64>, &str),
        expected: &str,
    ) {
        let parts = indexes.split_whitespace().map(|index| {
            let (index, parts) = index.split_once('=').unwrap();
            (digest(index), parts.split(',').map(digest).collect())
        });
        let pattern: Option<TagPattern> = pattern.parse().ok();
        let pushed_before = before.map(|second| SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        let criteria = Criteria { keep, pushed_before, tag_pattern: pattern.as_ref() };
        let selected =
            select(images.split_whitespace().enumerate().map(image).collect(), &parts.collect(), &criteria);
        let selected: Vec<Digest> = selected.images.iter().map(|image| image.digest).collect();
        assert_eq!(selected, expected.split_whitespace().map(digest).collect::<Vec<_>>(), "{images}");
    }

    #[test]
    fn the_newest_stay() {
        check("a:1 b:2 c:3", "", (2, None, ""), "a");
        check("a:1 b:2 c:3", "", (9, None, ""), "");
        check("a:1 b c:3", "", (1, None, ""), "b a");
        check("a:1 b:2 c:3", "", (0, Some(2), ""), "b a");
        check("a:1 b:2 c:3", "", (2, Some(2), ""), "a");
        check("a:1 b:2 c:3", "", (0, Some(0), ""), "");
    }

    #[test]
    fn only_images_without_other_tags_are_meant() {
        check("a:pr-1 b:pr-2,live c:v1 d e:pr-3", "", (1, None, "pr-*"), "a");
        check("a:pr-1 b:pr-2", "", (1, None, "pr-*"), "a");
    }

    #[test]
    fn what_belongs_to_an_image_goes_and_stays_with_it() {
        check("x y a:1 b:2", "a=x,y", (1, None, ""), "a y x");
        check("x y a:1 b:2", "a=x,y b=y", (1, None, ""), "a x");
        check("x y a:1 b:2", "b=x,y", (1, None, ""), "a");
        check("x:own y a:1 b:2", "a=x,y", (1, None, ""), "a y");
        check("a:1 s>a b:2 t>b", "", (1, None, ""), "a s");
        check("a:1 s:signature>a b:2", "", (1, None, ""), "a s");
        check("s>gone a:1 b:2", "", (1, None, ""), "a s");
        let signature = format!("a:1 s:sha256-{}.sig b:2", digest("a").hex());
        check(&signature, "", (1, None, ""), "a s");
        check("x a:1 s>x b:2", "a=x", (1, None, ""), "a s x");
    }
}
