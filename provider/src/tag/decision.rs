//! What is done with a tag, as a pure function of where it points. Looks at nothing.

use ecr_registry::{Digest, Tag};

use crate::argument::OnMovedTag;

/// What to do to have a tag point at an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It does.
    Nothing,
    Put,
    /// Somebody moved it to this image, and that is to be left.
    Leave(Digest),
    /// Somebody moved it to this image, and the plan did not show that.
    Refuse(Digest),
}

/// What to do about a tag that points at `now` and that the plan knew to point at `planned_from`.
pub(crate) fn step(now: Option<Digest>, wanted: Digest, planned_from: Digest, on_moved: OnMovedTag) -> Step {
    match now {
        Some(now) if now == wanted => Step::Nothing,
        None => Step::Put,
        Some(now) if now == planned_from => Step::Put,
        Some(now) => match on_moved {
            OnMovedTag::Restore => Step::Refuse(now),
            OnMovedTag::Ignore => Step::Leave(now),
        },
    }
}

/// What becomes of a tag that is to be taken away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Untag,
    /// It is gone already.
    Gone,
    /// It points at another image now: it is somebody else's.
    Foreign(Digest),
    /// ECR would delete the image with it.
    Last,
}

/// What becomes of a tag that points at `now`, and that we pointed at `ours`, an image with these tags.
pub(crate) fn removal(tag: &Tag, now: Option<Digest>, ours: Digest, tags: &[Tag]) -> Removal {
    match now {
        None => Removal::Gone,
        Some(now) if now != ours => Removal::Foreign(now),
        Some(_) if tags.iter().any(|other| other != tag) => Removal::Untag,
        Some(_) => Removal::Last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    #[test]
    fn a_tag_is_moved_only_from_where_the_plan_saw_it() {
        let check = |now: Option<&str>, on_moved, expected| {
            assert_eq!(step(now.map(digest), digest("b"), digest("a"), on_moved), expected, "{now:?}");
        };
        for on_moved in [OnMovedTag::Restore, OnMovedTag::Ignore] {
            check(None, on_moved, Step::Put);
            check(Some("a"), on_moved, Step::Put);
            check(Some("b"), on_moved, Step::Nothing);
        }
        check(Some("c"), OnMovedTag::Restore, Step::Refuse(digest("c")));
        check(Some("c"), OnMovedTag::Ignore, Step::Leave(digest("c")));
    }

    #[test]
    fn a_tag_is_taken_away_only_if_it_is_ours_and_not_the_last() {
        let check = |now: Option<&str>, tags: &[&str], expected| {
            let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
            let tag = "live".parse().unwrap();
            assert_eq!(removal(&tag, now.map(digest), digest("a"), &tags), expected, "{now:?} {tags:?}");
        };
        check(None, &[], Removal::Gone);
        check(Some("b"), &["live", "v1"], Removal::Foreign(digest("b")));
        check(Some("a"), &["live", "v1"], Removal::Untag);
        check(Some("a"), &["v1"], Removal::Untag);
        check(Some("a"), &["live"], Removal::Last);
        check(Some("a"), &[], Removal::Last);
    }
}
