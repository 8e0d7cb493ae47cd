//! Which places in a chart's values say an image.

use serde_json::Value;

use super::{form::Form, values_path::ValuesPath};

/// How deep values are searched: far deeper than any chart, far less than the stack.
const DEEPEST: usize = 64;

/// The places whose values render to exactly this image.
pub(crate) fn of(image: &str, values: &Value, app_version: &str) -> Vec<ValuesPath> {
    let mut found = Vec::new();
    walk(values, &ValuesPath::root(), 0, &mut |place, value| {
        let form = Form::of(value);
        let hit = form.and_then(|form| form.renders(value, app_version)).is_some_and(|text| text == image);
        if hit {
            found.push(place.clone());
        }
        // The repository inside a map that matched is not a place of its own.
        if hit { Descend::No } else { Descend::Yes }
    });
    found
}

/// The places that look like an image, for a person who mistyped one.
pub(crate) fn all(values: &Value) -> Vec<ValuesPath> {
    let mut found = Vec::new();
    walk(values, &ValuesPath::root(), 0, &mut |place, value| {
        let is_image = match Form::of(value) {
            Some(Form::DigestKey(_) | Form::RepositoryAndTag(_)) => true,
            Some(Form::Text) => value.is_string() && is_image_key(place),
            None => false,
        };
        if is_image {
            found.push(place.clone());
        }
        if is_image { Descend::No } else { Descend::Yes }
    });
    found
}

fn is_image_key(place: &ValuesPath) -> bool {
    let text = place.to_string();
    let key = text.rsplit('.').next().unwrap_or_default();
    key == "image" || key.ends_with("Image")
}

enum Descend {
    Yes,
    No,
}

fn walk(
    value: &Value,
    place: &ValuesPath,
    depth: usize,
    visit: &mut impl FnMut(&ValuesPath, &Value) -> Descend,
) {
    if depth > DEEPEST || matches!(visit(place, value), Descend::No) {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, below) in map {
                walk(below, &place.key(key), depth + 1, visit);
            }
        }
        Value::Array(list) => {
            for (index, below) in list.iter().enumerate() {
                walk(below, &place.index(index), depth + 1, visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(paths: &[ValuesPath]) -> Vec<String> {
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn finds_what_renders_to_the_image() {
        let values = json!({
            "image": {"repository": "r/web", "tag": ""},
            "worker": {"image": "r/worker:2"},
            "jobs": [{"image": {"registry": "r", "repository": "job", "tag": "3"}}],
            "copy": "r/worker:2",
            "plain": {"repository": "r/plain"},
        });
        let check = |image: &str, expected: &[&str]| assert_eq!(names(&of(image, &values, "1.0")), expected);
        check("r/web:1.0", &["image"]);
        check("r/job:3", &["jobs[0].image"]);
        check("r/worker:2", &["copy", "worker.image"]);
        check("r/plain:1.0", &["plain"]);
        check("r/other:1", &[]);
    }

    #[test]
    fn lists_what_looks_like_an_image() {
        let values = json!({
            "image": {"repository": "r/web", "tag": ""},
            "worker": {"image": "r/worker:2", "name": "worker"},
            "initImage": "busybox",
            "serviceAccount": {"name": "x"},
            "replicas": 2,
        });
        assert_eq!(names(&all(&values)), ["image", "initImage", "worker.image"]);
    }
}
