//! What to set in a chart's values so that its images are named by digest.

use ecr_registry::{Digest, Reference};
use serde_json::Value;

use super::{candidates, form::Form, policy::Policy, uses::ImageUse, values_path::ValuesPath};
use crate::{exit::Exit, failure::Explain};

/// An image that belongs at a place in values; its digest may still have to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The place.
    pub(crate) path: ValuesPath,
    /// The image.
    pub(crate) reference: Reference,
}

/// A place in values, set to an image by digest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pin {
    /// The place.
    pub(crate) path: ValuesPath,
    /// The image as it was named, with or without a tag.
    pub(crate) reference: Reference,
    /// What is deployed.
    pub(crate) digest: Digest,
    changes: Vec<(ValuesPath, Value)>,
}

/// An image cannot be pinned by values.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PinError {
    /// The chart's values have no such place.
    #[error("the chart has no values path `{path}`")]
    NoSuchPath {
        /// As it was typed.
        path: ValuesPath,
        /// The places that look like images.
        images: Vec<ValuesPath>,
    },
    /// There is something else.
    #[error("values path `{path}` is not an image: neither a text, nor a map with `digest` or `repository`")]
    NotAnImage {
        /// As it was typed.
        path: ValuesPath,
        /// The places that look like images.
        images: Vec<ValuesPath>,
    },
    /// The values do not say where it comes from.
    #[error("image `{}` of {} comes from {}", .used.image, .used.object, places(.candidates))]
    NoSinglePlace {
        /// The image.
        used: Box<ImageUse>,
        /// The places that render to it.
        candidates: Vec<ValuesPath>,
    },
}

fn places(candidates: &[ValuesPath]) -> String {
    match candidates {
        [] => "no single place in the chart's values".to_owned(),
        several => format!("several places in the chart's values: {}", list(several)),
    }
}

fn list(paths: &[ValuesPath]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}

impl Explain for PinError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoSuchPath { .. } | Self::NotAnImage { .. } => Exit::Usage,
            Self::NoSinglePlace { .. } => Exit::ImagePolicy,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchPath { images, .. } | Self::NotAnImage { images, .. } if images.is_empty() => {
                "no place in the chart's values looks like an image".to_owned()
            }
            Self::NoSuchPath { images, .. } | Self::NotAnImage { images, .. } => {
                format!("these look like images: {}", list(images))
            }
            Self::NoSinglePlace { used, .. } => {
                format!("name the place: --image PATH={}, or pin the image in the chart", used.image)
            }
        })
    }
}

/// Checks that images can be set at the places that were named.
pub(crate) fn check_paths(wanted: &[Wanted], values: &Value) -> Result<(), PinError> {
    wanted.iter().try_for_each(|wanted| form(&wanted.path, values).map(drop))
}

fn form<'a>(path: &ValuesPath, values: &'a Value) -> Result<Form<'a>, PinError> {
    let images = || candidates::all(values);
    let value =
        path.get(values).ok_or_else(|| PinError::NoSuchPath { path: path.clone(), images: images() })?;
    Form::of(value).ok_or_else(|| PinError::NotAnImage { path: path.clone(), images: images() })
}

/// The images that no one named and that are to be pinned, each at the one place that renders to it. Where there is no
/// such place, that is an error only if the image has to be pinned.
pub(crate) fn found_in_values(
    unpinned: &[(ImageUse, Reference)],
    named: &[Wanted],
    values: &Value,
    app_version: &str,
    policy: &Policy,
) -> Result<Vec<Wanted>, PinError> {
    let mut found: Vec<Wanted> = Vec::new();
    let wanted = unpinned.iter().filter(|(used, reference)| policy.pins(&used.image, reference));
    for (used, reference) in wanted {
        let candidates = candidates::of(&used.image, values, app_version);
        if candidates.iter().any(|path| named.iter().chain(&found).any(|wanted| wanted.path == *path)) {
            continue;
        }
        let [path] = &candidates[..] else {
            if !policy.requires(&used.image, reference) {
                continue;
            }
            return Err(PinError::NoSinglePlace { used: Box::new(used.clone()), candidates });
        };
        found.push(Wanted { path: path.clone(), reference: reference.clone() });
    }
    Ok(found)
}

/// Sets an image at its place.
pub(crate) fn pin(wanted: Wanted, digest: Digest, values: &Value) -> Result<Pin, PinError> {
    let Wanted { path, reference } = wanted;
    let changes = form(&path, values)?.pin(&path, &reference, digest);
    Ok(Pin { path, reference, digest, changes })
}

/// The user's values with the pins in them.
pub(crate) fn apply(config: &Value, values: &Value, pins: &[Pin]) -> Value {
    let mut config = config.clone();
    for (path, new) in pins.iter().flat_map(|pin| &pin.changes) {
        path.set(&mut config, values, new.clone());
    }
    config
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::images::{
        policy::{Pinned, Required},
        uses::Object,
    };

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn wanted(path: &str, reference: &str) -> Wanted {
        Wanted { path: path.parse().unwrap(), reference: reference.parse().unwrap() }
    }

    #[test]
    fn places_that_do_not_exist() {
        let values = json!({"api": {"image": {"repository": "a", "tag": "1"}}, "replicas": 2});
        let check = |path: &str, message: &str, hint: &str| {
            let error = check_paths(&[wanted(path, "r.example/a:1")], &values).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, Some(hint)));
        };
        check("api.imag", "the chart has no values path `api.imag`", "these look like images: `api.image`");
        check(
            "replicas",
            "values path `replicas` is not an image: neither a text, nor a map with `digest` or `repository`",
            "these look like images: `api.image`",
        );
        let error = check_paths(&[wanted("a", "r.example/a")], &json!({})).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("no place in the chart's values looks like an image"));
    }

    fn find_where(
        required: Required,
        image: &str,
        named: &[Wanted],
        values: &Value,
    ) -> Result<Vec<Wanted>, String> {
        let object = Object { kind: "Deployment".to_owned(), name: "web".to_owned(), events: vec![] };
        let used = ImageUse { image: image.to_owned(), object, path: String::new() };
        let reference = image.parse().unwrap();
        let policy = Policy { pinned: Pinned::All, required, allowed: vec![] };
        found_in_values(&[(used, reference)], named, values, "9", &policy).map_err(|error| error.to_string())
    }

    fn find(image: &str, named: &[Wanted], values: &Value) -> Result<Vec<Wanted>, String> {
        find_where(Required::All, image, named, values)
    }

    #[test]
    fn images_that_no_one_named() {
        let values = json!({"a": {"image": "r.example/a:1"}, "b": {"repository": "r.example/b"}});
        assert_eq!(find("r.example/a:1", &[], &values), Ok(vec![wanted("a.image", "r.example/a:1")]));
        assert_eq!(find("r.example/b:9", &[], &values), Ok(vec![wanted("b", "r.example/b:9")]));
        assert_eq!(find("r.example/b:9", &[wanted("b", "r.example/other")], &values), Ok(vec![]));
        assert_eq!(
            find("r.example/c:1", &[], &values),
            Err("image `r.example/c:1` of Deployment/web comes from no single place in the chart's values"
                .to_owned())
        );
        assert_eq!(find_where(Required::None, "r.example/c:1", &[], &values), Ok(vec![]));
        let twice = json!({"a": "r.example/a:1", "b": "r.example/a:1"});
        assert_eq!(
            find("r.example/a:1", &[], &twice),
            Err("image `r.example/a:1` of Deployment/web comes from several places in the chart's values: `a`, `b`"
                .to_owned())
        );
    }

    #[test]
    fn pins_keep_everything_else() {
        let values = json!({"api": {"image": {"repository": "a", "tag": "1"}}});
        let config = json!({"replicas": 3, "gone": null, "api": {"image": {"pullPolicy": "Always"}}});
        let pin = pin(wanted("api.image", "r.example/a:v2"), DIGEST.parse().unwrap(), &values).unwrap();
        let expected = json!({
            "replicas": 3,
            "gone": null,
            "api": {"image": {"pullPolicy": "Always", "repository": "r.example/a", "tag": format!("v2@{DIGEST}")}},
        });
        assert_eq!(apply(&config, &values, std::slice::from_ref(&pin)), expected);
        assert_eq!(apply(&expected, &values, &[pin]), expected, "pinning twice is pinning once");
    }
}
