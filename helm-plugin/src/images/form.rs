//! How a chart's values say an image, and what to set there so that they say it by digest.

use ecr_registry::{Digest, Reference};
use serde_json::{Map, Value};

use super::values_path::ValuesPath;

/// Names that charts have for the repository of an image, the usual one first.
const REPOSITORY_KEYS: [&str; 3] = ["repository", "image", "name"];

/// How one place in values says an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// The whole reference in one text.
    Text,
    /// A map with a key of its own for the digest.
    DigestKey(Keys<'a>),
    /// A map of repository and tag, joined by `:` in the template.
    RepositoryAndTag(Keys<'a>),
}

/// The keys of a map that says an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys<'a> {
    repository: Option<&'static str>,
    has_registry: bool,
    has_tag: bool,
    map: &'a Map<String, Value>,
}

impl<'a> Form<'a> {
    /// Reads the form from what stands in the values.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(_) | Value::Null => Some(Self::Text),
            Value::Object(map) => {
                let (has_registry, has_tag) = (map.contains_key("registry"), map.contains_key("tag"));
                let is_repository = |key: &&str| {
                    // `image` and `name` alone are other things.
                    let certain = *key == "repository" || has_tag || map.contains_key("digest");
                    certain && map.get(*key).is_some_and(Value::is_string)
                };
                let repository = REPOSITORY_KEYS.into_iter().find(is_repository);
                let keys = Keys { repository, has_registry, has_tag, map };
                match (map.contains_key("digest"), repository) {
                    (true, _) => Some(Self::DigestKey(keys)),
                    (false, Some(_)) => Some(Self::RepositoryAndTag(keys)),
                    (false, None) => None,
                }
            }
            _ => None,
        }
    }

    /// What to set, below the place, so that the image is `reference` with this digest.
    pub(crate) fn pin(
        self,
        place: &ValuesPath,
        reference: &Reference,
        digest: Digest,
    ) -> Vec<(ValuesPath, Value)> {
        let pinned = Reference { digest: Some(digest), ..reference.clone() };
        let tag = reference.tag.as_ref().map(ToString::to_string);
        match self {
            Self::Text => vec![(place.clone(), pinned.to_string().into())],
            Self::DigestKey(keys) => {
                let mut changes = keys.repository(place, reference, "");
                changes.extend(tag.filter(|_| keys.has_tag).map(|tag| (place.key("tag"), tag.into())));
                changes.push((place.key("digest"), digest.to_string().into()));
                changes
            }
            Self::RepositoryAndTag(keys) => {
                // Without a tag the joined text is still exact: `name@sha256` + `:` + the digits.
                let (suffix, tag) = match tag {
                    Some(tag) => ("", format!("{tag}@{digest}")),
                    None => ("@sha256", digest.hex()),
                };
                let mut changes = keys.repository(place, reference, suffix);
                changes.push((place.key("tag"), tag.into()));
                changes
            }
        }
    }

    /// What to set, below the place, so that templates make `reference`, which has no digest, of it. A digest that the
    /// chart has a key for can stand there.
    pub(crate) fn unpinned(self, place: &ValuesPath, reference: &Reference) -> Vec<(ValuesPath, Value)> {
        let tag = reference.tag.as_ref().map(|tag| (place.key("tag"), tag.to_string().into()));
        match self {
            Self::Text => vec![(place.clone(), reference.to_string().into())],
            Self::DigestKey(keys) | Self::RepositoryAndTag(keys) => {
                keys.repository(place, reference, "").into_iter().chain(tag).collect()
            }
        }
    }

    /// The references that templates make of this form, as text.
    pub(crate) fn renders(self, value: &Value, app_version: &str) -> Option<String> {
        match self {
            Self::Text => value.as_str().map(str::to_owned),
            Self::DigestKey(keys) | Self::RepositoryAndTag(keys) => keys.renders(app_version),
        }
    }
}

impl Keys<'_> {
    fn repository(
        &self,
        place: &ValuesPath,
        reference: &Reference,
        suffix: &str,
    ) -> Vec<(ValuesPath, Value)> {
        let Some(key) = self.repository else { return Vec::new() };
        let repository = &reference.repository;
        if self.has_registry {
            vec![
                (place.key("registry"), repository.host().to_string().into()),
                (place.key(key), format!("{}{suffix}", repository.name()).into()),
            ]
        } else {
            vec![(place.key(key), format!("{repository}{suffix}").into())]
        }
    }

    fn renders(&self, app_version: &str) -> Option<String> {
        let text = |key: &str| match self.map.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let repository = text(self.repository?);
        let registry = text("registry");
        let tag = Some(text("tag")).filter(|tag| !tag.is_empty()).unwrap_or_else(|| app_version.to_owned());
        let slash = if registry.is_empty() { "" } else { "/" };
        let colon = if tag.is_empty() { "" } else { ":" };
        Some(format!("{registry}{slash}{repository}{colon}{tag}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::images::values_path::overlay;

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn check(value: &Value, reference: &str, expected: &Value) {
        let reference: Reference = reference.parse().unwrap();
        let place: ValuesPath = "image".parse().unwrap();
        let values = json!({ "image": value });
        let mut config = json!({});
        for (path, new) in Form::of(value).unwrap().pin(&place, &reference, DIGEST.parse().unwrap()) {
            path.set(&mut config, &values, new);
        }
        assert_eq!(&overlay(&values, &config)["image"], expected);
    }

    #[test]
    fn every_form() {
        check(&json!("old:1"), "r.example/a:v1", &json!(format!("r.example/a:v1@{DIGEST}")));
        check(&json!("old:1"), "r.example/a", &json!(format!("r.example/a@{DIGEST}")));
        check(
            &json!({"repository": "old", "tag": "", "pullPolicy": "Always"}),
            "r.example/a:v1",
            &json!({"repository": "r.example/a", "tag": format!("v1@{DIGEST}"), "pullPolicy": "Always"}),
        );
        check(
            &json!({"repository": "old", "tag": "1"}),
            "r.example/a",
            &json!({"repository": "r.example/a@sha256", "tag": HEX}),
        );
        check(
            &json!({"registry": "docker.io", "repository": "old", "tag": "1", "digest": ""}),
            "r.example/x/a:v1",
            &json!({"registry": "r.example", "repository": "x/a", "tag": "v1", "digest": DIGEST}),
        );
        check(
            &json!({"registry": "docker.io", "repository": "old", "tag": "1"}),
            "r.example/x/a",
            &json!({"registry": "r.example", "repository": "x/a@sha256", "tag": HEX}),
        );
        check(
            &json!({"image": "old", "digest": null}),
            "r.example/a",
            &json!({"image": "r.example/a", "digest": DIGEST}),
        );
    }

    #[test]
    fn no_image_at_all() {
        let check = |value: Value| assert_eq!(Form::of(&value), None, "{value}");
        check(json!(7));
        check(json!(["a"]));
        check(json!({"tag": "1"}));
        check(json!({"repository": {}}));
        check(json!({"image": "a:1", "name": "a"}));
    }

    #[test]
    fn what_templates_make_of_it() {
        let check = |value: Value, expected: &str| {
            assert_eq!(Form::of(&value).unwrap().renders(&value, "9").as_deref(), Some(expected));
        };
        check(json!("a:1"), "a:1");
        check(json!({"repository": "a", "tag": 1.5}), "a:1.5");
        check(json!({"repository": "a", "tag": ""}), "a:9");
        check(json!({"registry": "r", "repository": "a", "tag": "1", "digest": ""}), "r/a:1");
    }
}
