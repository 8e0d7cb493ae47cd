//! Images of the next revision beside those of the last one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::images::uses::{self, ImageUse, Rendered};

/// One place of a release, and its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ImageChange {
    /// The object, and the place in it.
    pub(crate) place: String,
    /// The image that it had.
    pub(crate) before: Option<String>,
    /// The image that it gets.
    pub(crate) after: Option<String>,
}

/// The places whose images differ.
pub(super) fn changed(before: &[Rendered], after: &[Rendered]) -> Vec<ImageChange> {
    let mut changes = beside(before, after);
    changes.retain(|change| change.before != change.after);
    changes
}

/// All places.
pub(crate) fn beside(before: &[Rendered], after: &[Rendered]) -> Vec<ImageChange> {
    let (before, after) = (by_place(before), by_place(after));
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |place: &String| ImageChange {
        place: place.clone(),
        before: before.get(place).cloned(),
        after: after.get(place).cloned(),
    };
    places.into_iter().map(change).collect()
}

fn by_place(objects: &[Rendered]) -> BTreeMap<String, String> {
    let uses = objects.iter().flat_map(uses::images);
    uses.map(|ImageUse { image, object, path }| (format!("{object} {path}"), image)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new() {
        let pod = |name: &str, image: &str| {
            format!(
                "kind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{image: {image}}}]}}\n---\n"
            )
        };
        let objects = |manifest: String| uses::objects(&manifest, &[]).unwrap();
        let before = objects(pod("a", "x:1") + &pod("b", "x:1") + &pod("c", "x:1"));
        let after = objects(pod("b", "x:2") + &pod("c", "x:1") + &pod("d", "x:2"));
        let change = |name: &str, before: Option<&str>, after: Option<&str>| ImageChange {
            place: format!("Pod/{name} spec.containers[0].image"),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let expected = [
            change("a", Some("x:1"), None),
            change("b", Some("x:1"), Some("x:2")),
            change("d", None, Some("x:2")),
        ];
        assert_eq!(changed(&before, &after), expected);
    }
}
