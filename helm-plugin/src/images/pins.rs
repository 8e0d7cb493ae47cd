//! What to set in a chart's values so that its images are named by digest.

use clap::ValueEnum;
use ecr_registry::{Digest, Reference, Tag};
use serde_json::Value;

use super::{
    candidates,
    form::Form,
    policy::Policy,
    rewrite::Rewrites,
    uses::{ImageUse, Rendered, images},
    values_path::ValuesPath,
};
use crate::{exit::Exit, failure::Explain};

/// The characters of a digest that stand for a tag where an image has none and is not to be named by digest.
const SHORT: usize = 12;

/// By what images get their digests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    /// By values where they can say it, else by post-rendering.
    #[default]
    Auto,
    /// By values; what they cannot say is an error.
    Values,
    /// By post-rendering. A plain `helm upgrade` later on does not keep that.
    PostRender,
}

/// An image that belongs at a place in values, or that no place says, which is at the root; its digest may still have
/// to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The place.
    pub(crate) path: ValuesPath,
    /// The image.
    pub(crate) reference: Reference,
}

/// An image, by digest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pin {
    /// Its place in values; the root if there is none.
    pub(crate) path: ValuesPath,
    /// The image as it was named, with or without a tag.
    pub(crate) reference: Reference,
    /// What is deployed.
    pub(crate) digest: Digest,
    changes: Vec<(ValuesPath, Value)>,
    how: How,
}

/// How a digest gets into a manifest.
#[derive(Debug, Clone, PartialEq)]
enum How {
    /// A value of its own, or the whole reference in one.
    Value,
    /// Joined to the tag.
    Tag,
    /// By post-rendering, where the chart says this image.
    Rendered(Reference),
}

impl Pin {
    /// Whether values change for it.
    pub(crate) fn is_in_values(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Whether the digest is in a value that was made for a tag.
    pub(crate) fn is_joined(&self) -> bool {
        self.how == How::Tag
    }

    /// Whether a post-renderer puts the digest in.
    pub(crate) fn is_rendered(&self) -> bool {
        matches!(self.how, How::Rendered(_))
    }
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

/// The images that no one named and that are to be pinned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Each at the one place that renders to it.
    pub(crate) placed: Vec<Wanted>,
    /// Those that have no such place, at the root.
    pub(crate) loose: Vec<Wanted>,
}

/// The images that no one named and that are to be pinned. Where nothing but values can pin, one without a place is an
/// error if it has to be pinned, and is left otherwise.
pub(crate) fn found_in_values(
    unpinned: &[(ImageUse, Reference)],
    named: &[Wanted],
    values: &Value,
    app_version: &str,
    policy: &Policy,
    via: Via,
) -> Result<Found, PinError> {
    let mut found = Found::default();
    let wanted = unpinned.iter().filter(|(used, reference)| policy.pins(&used.image, reference));
    for (used, reference) in wanted {
        let candidates = candidates::of(&used.image, values, app_version);
        if candidates.iter().any(|path| named.iter().chain(&found.placed).any(|wanted| wanted.path == *path))
        {
            continue;
        }
        let at = |path: ValuesPath| Wanted { path, reference: reference.clone() };
        match &candidates[..] {
            [path] => found.placed.push(at(path.clone())),
            _ if via != Via::Values => {
                let loose = at(ValuesPath::root());
                if !found.loose.contains(&loose) {
                    found.loose.push(loose);
                }
            }
            _ if policy.requires(&used.image, reference) => {
                return Err(PinError::NoSinglePlace { used: Box::new(used.clone()), candidates });
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Sets an image at its place.
pub(crate) fn pin(wanted: Wanted, digest: Digest, values: &Value) -> Result<Pin, PinError> {
    let Wanted { path, reference } = wanted;
    let form = form(&path, values)?;
    let how = if matches!(form, Form::RepositoryAndTag(_)) { How::Tag } else { How::Value };
    let changes = form.pin(&path, &reference, digest);
    Ok(Pin { path, reference, digest, changes, how })
}

/// Sets an image at its place without the digest, for a post-renderer to put that in. What the place says already
/// stays: a tag that follows the chart's version goes on to.
pub(crate) fn render(
    wanted: Wanted,
    digest: Digest,
    values: &Value,
    app_version: &str,
) -> Result<Pin, PinError> {
    let Wanted { path, reference } = wanted;
    let mut shown = Reference { digest: None, ..reference.clone() };
    let mut changes = Vec::new();
    if !path.is_root() {
        let form = form(&path, values)?;
        let says = path.get(values).and_then(|value| form.renders(value, app_version));
        if says.and_then(|text| text.parse::<Reference>().ok()).as_ref() != Some(&shown) {
            shown.tag = shown.tag.or_else(|| digest.hex()[..SHORT].parse::<Tag>().ok());
            changes = form.unpinned(&path, &shown);
        }
    }
    Ok(Pin { path, reference, digest, changes, how: How::Rendered(shown) })
}

/// What a post-renderer replaces in these objects.
pub(crate) fn rewrites(objects: &[Rendered], pins: &[Pin]) -> Rewrites {
    let images = objects.iter().flat_map(images).filter_map(|used| {
        let found: Reference = used.image.parse().ok()?;
        let pin = pins.iter().find(|pin| matches!(&pin.how, How::Rendered(shown) if *shown == found))?;
        Some((used.image, Reference { digest: Some(pin.digest), ..pin.reference.clone() }.to_string()))
    });
    images.collect()
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::images::{
        policy::{Pinned, Required},
        uses::Object,
        values_path::overlay,
    };

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn wanted(path: &str, reference: &str) -> Wanted {
        let path = if path.is_empty() { ValuesPath::root() } else { path.parse().unwrap() };
        Wanted { path, reference: reference.parse().unwrap() }
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
        find_via(Via::Values, required, image, named, values).map(|found| found.placed)
    }

    fn find_via(
        via: Via,
        required: Required,
        image: &str,
        named: &[Wanted],
        values: &Value,
    ) -> Result<Found, String> {
        let object = Object { kind: "Deployment".to_owned(), name: "web".to_owned(), events: vec![] };
        let used = ImageUse { image: image.to_owned(), object, path: String::new() };
        let reference = image.parse().unwrap();
        let policy = Policy { pinned: Pinned::All, required, allowed: vec![] };
        let unpinned = [(used.clone(), reference)];
        found_in_values(&unpinned, named, values, "9", &policy, via).map_err(|error| error.to_string())
    }

    fn find(image: &str, named: &[Wanted], values: &Value) -> Result<Vec<Wanted>, String> {
        find_where(Required::All, image, named, values)
    }

    #[test]
    fn rule_2_images_that_no_one_named() {
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
    fn rule_2_what_values_cannot_say_is_post_rendered() {
        let found = find_via(Via::Auto, Required::All, "r.example/c:1", &[], &json!({})).unwrap();
        assert_eq!((found.placed, found.loose), (vec![], vec![wanted("", "r.example/c:1")]));
        let values = json!({"a": {"repository": "r.example/a"}, "b": "r.example/x"});
        let check = |path: &str, reference: &str, config: Value, image: &str, new: &str| {
            let pin = render(wanted(path, reference), DIGEST.parse().unwrap(), &values, "9").unwrap();
            assert_eq!(apply(&json!({}), &values, std::slice::from_ref(&pin)), config);
            let manifest =
                format!("kind: Pod\nspec: {{containers: [{{image: \"{image}\"}}, {{image: x}}]}}\n");
            let objects = crate::images::uses::objects(&manifest, &[]).unwrap();
            assert_eq!(rewrites(&objects, &[pin]), Rewrites::from([(image.to_owned(), new.to_owned())]));
        };
        let (a, b) = (format!("r.example/a:9@{DIGEST}"), format!("r.example/b@{DIGEST}"));
        check("a", "r.example/a:9", json!({}), "r.example/a:9", &a);
        let short = &DIGEST[7..19];
        check("b", &b, json!({"b": format!("r.example/b:{short}")}), &format!("r.example/b:{short}"), &b);
        let moved = json!({"a": {"repository": "r.example/a", "tag": "v2"}});
        check("a", "r.example/a:v2", moved, "r.example/a:v2", &format!("r.example/a:v2@{DIGEST}"));
        check("", "r.example/c", json!({}), "r.example/c", &format!("r.example/c@{DIGEST}"));
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

    proptest! {
        #[test]
        fn rule_2_pinned_twice_is_pinned_once(form in 0..5usize, tag in "[a-z0-9]{1,8}", tagged: bool, more in "[a-z]{1,5}") {
            let image = [
                json!("old:1"),
                json!({"repository": "old", "tag": "", more.as_str(): 1}),
                json!({"registry": "docker.io", "repository": "old", "tag": "1"}),
                json!({"repository": "old", "tag": "1", "digest": ""}),
                json!({"image": "old", "digest": null, more.as_str(): []}),
            ];
            let chart = json!({"image": image[form], more.as_str(): {"image": "old:1"}});
            let reference = if tagged { format!("r.example/a:{tag}") } else { "r.example/a".to_owned() };
            let pinned = |config: &Value| {
                let values = overlay(&chart, config);
                let pin = pin(wanted("image", &reference), DIGEST.parse().unwrap(), &values).unwrap();
                apply(config, &values, &[pin])
            };
            let once = pinned(&json!({more.as_str(): {"image": "mine"}}));
            prop_assert_eq!(pinned(&once), once);
        }
    }
}
