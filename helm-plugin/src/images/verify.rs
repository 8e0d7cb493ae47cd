//! Whether what Helm would deploy is pinned: asked of rendered manifests, before anything changes.

use std::collections::BTreeSet;

use ecr_registry::Reference;
use serde_json::Value;

use super::{
    pins::Pin,
    policy::Policy,
    uses::{ImageUse, Object, Rendered, images},
    values_path::ValuesPath,
};
use crate::{exit::Exit, failure::Explain};

/// Rendered manifests are not what pinning promises.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PolicyError {
    /// Images that have to have a digest and have none.
    #[error("not pinned by digest:{}", lines(.0))]
    Unpinned(Vec<ImageUse>),
    /// A place that was set and that no image comes from.
    #[error("no image of the chart comes from values path `{path}`: setting it to {image} changed nothing")]
    NoEffect {
        /// The place.
        path: String,
        /// The image.
        image: String,
    },
    /// The digest went where it does not belong.
    #[error(
        "the chart puts the tag of values path `{path}` into more than the image: {place} would be `{text}`"
    )]
    Leak {
        /// The place in values.
        path: String,
        /// The object and the place in it.
        place: String,
        /// What it would be.
        text: String,
    },
}

fn lines(uses: &[ImageUse]) -> String {
    let lines: Vec<String> =
        uses.iter().map(|used| format!("\n{}, {}: {}", used.object, used.path, used.image)).collect();
    lines.concat()
}

impl Explain for PolicyError {
    fn exit(&self) -> Exit {
        Exit::ImagePolicy
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unpinned(uses) => {
                let image = uses.first().map_or("REF", |used| used.image.as_str());
                format!(
                    "say which value the image comes from: --image PATH={image}; or pin it in the chart; or let it \
                     be: --allow-unpinned '{image}'"
                )
            }
            Self::NoEffect { .. } => "look at where the chart's templates take this image from".to_owned(),
            Self::Leak { .. } => {
                "give the chart a `digest` key beside `tag`, and let the template join them in the image only"
                    .to_owned()
            }
        })
    }
}

/// Images with what they parse to.
pub(crate) type Parsed = Vec<(ImageUse, Reference)>;

/// The images that have no digest. Those that only `helm test` runs come second.
pub(crate) fn unpinned(objects: &[Rendered]) -> (Parsed, Parsed) {
    let all = objects.iter().flat_map(images).filter_map(|used| {
        let reference: Reference = used.image.parse().ok()?;
        reference.digest.is_none().then_some((used, reference))
    });
    all.partition(|(used, _)| !used.object.is_test())
}

/// What to warn about although it may be deployed: what the policy would pin or require and `helm test` alone runs, and
/// what it would pin and could not.
pub(crate) fn tolerated(objects: &[Rendered], policy: &Policy) -> Vec<ImageUse> {
    let (unpinned, tests) = unpinned(objects);
    let concerns = |(used, reference): &(ImageUse, Reference)| {
        policy.pins(&used.image, reference) || policy.requires(&used.image, reference)
    };
    unpinned.into_iter().chain(tests).filter(concerns).map(|(used, _)| used).collect()
}

/// Proves that the pins did what they are for, and nothing else.
pub(crate) fn prove(objects: &[Rendered], pins: &[Pin], policy: &Policy) -> Result<(), PolicyError> {
    let (unpinned, _) = unpinned(objects);
    let required = unpinned.into_iter().filter(|(used, reference)| policy.requires(&used.image, reference));
    let required: Vec<ImageUse> = required.map(|(used, _)| used).collect();
    if !required.is_empty() {
        return Err(PolicyError::Unpinned(required));
    }
    let images: Vec<ImageUse> = objects.iter().flat_map(images).collect();
    for pin in pins {
        // One without a place may be in hooks only, which Helm 3 sends through no post-renderer.
        if !pin.path.is_root() && !images.iter().any(|used| is_pinned_as(&used.image, pin)) {
            let image = Reference { digest: Some(pin.digest), ..pin.reference.clone() };
            return Err(PolicyError::NoEffect { path: pin.path.to_string(), image: image.to_string() });
        }
        for rendered in objects {
            if let Some((place, text)) = leak(&rendered.content, pin) {
                let place = format!("{place} of {}", Named(&rendered.object));
                return Err(PolicyError::Leak { path: pin.path.to_string(), place, text });
            }
        }
    }
    Ok(())
}

/// What says more than the image.
pub(crate) struct Leak {
    /// The places in values.
    pub(crate) places: BTreeSet<ValuesPath>,
    /// Where the first digest went, and what it made there.
    pub(crate) text: String,
}

/// Which pins by value put their digests elsewhere too.
pub(crate) fn leaking(objects: &[Rendered], pins: &[Pin]) -> Option<Leak> {
    let mut leak: Option<Leak> = None;
    for pin in pins.iter().filter(|pin| !pin.path.is_root() && !pin.is_rendered()) {
        let found = objects.iter().find_map(|rendered| Some((rendered, self::leak(&rendered.content, pin)?)));
        if let Some((rendered, (place, text))) = found {
            let text = format!("{place} of {} would be `{text}`", Named(&rendered.object));
            leak.get_or_insert(Leak { places: BTreeSet::new(), text }).places.insert(pin.path.clone());
        }
    }
    leak
}

struct Named<'a>(&'a Object);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0.kind, self.0.name)
    }
}

fn is_pinned_as(image: &str, pin: &Pin) -> bool {
    let parsed = image.parse::<Reference>();
    parsed.is_ok_and(|found| found.digest == Some(pin.digest) && found.repository == pin.reference.repository)
}

/// A text that carries the digest without being a reference to the image, and where it stands.
fn leak(content: &Value, pin: &Pin) -> Option<(String, String)> {
    match content {
        Value::String(text) => {
            let carries = text.contains(&pin.digest.hex()) && !is_pinned_as(text, pin);
            carries.then(|| (String::new(), text.clone()))
        }
        Value::Array(list) => list.iter().enumerate().find_map(|(index, below)| {
            leak(below, pin).map(|(place, text)| (format!("[{index}]{}", dotted(&place)), text))
        }),
        Value::Object(map) => map.iter().find_map(|(key, below)| {
            leak(below, pin).map(|(place, text)| (format!("{key}{}", dotted(&place)), text))
        }),
        _ => None,
    }
}

fn dotted(place: &str) -> String {
    if place.is_empty() || place.starts_with('[') { place.to_owned() } else { format!(".{place}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        helm::dry_run::Hook,
        images::{
            pins,
            policy::{Pinned, Required},
            uses::objects,
        },
    };

    const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn pod(image: &str, labels: &str) -> String {
        format!(
            "kind: Pod\nmetadata: {{name: p, labels: {{v: \"{labels}\"}}}}\nspec: {{containers: [{{image: \"{image}\"}}]}}\n"
        )
    }

    fn pin() -> Pin {
        let wanted = pins::Wanted {
            path: "image".parse().unwrap(),
            reference: format!("{ECR}/a:v1").parse().unwrap(),
        };
        pins::pin(wanted, DIGEST.parse().unwrap(), &json!({"image": "x"})).unwrap()
    }

    fn check(manifest: &str, pins: &[Pin], expected: &Result<(), String>) {
        let got = prove(&objects(manifest, &[]).unwrap(), pins, &Policy::default())
            .map_err(|error| error.to_string());
        assert_eq!(&got, expected, "{manifest}");
    }

    #[test]
    fn rule_4_unpinned_images_of_ecr() {
        let unpinned =
            |image: &str| Err(format!("not pinned by digest:\nPod/p, spec.containers[0].image: {image}"));
        check(&pod(&format!("{ECR}/a:v1"), ""), &[], &unpinned(&format!("{ECR}/a:v1")));
        check(&pod(&format!("{ECR}/a"), ""), &[], &unpinned(&format!("{ECR}/a")));
        check(&pod(&format!("{ECR}/a:v1@{DIGEST}"), ""), &[], &Ok(()));
        check(&pod("nginx:1", ""), &[], &Ok(()));
        check(&pod("public.ecr.aws/x/y:1", ""), &[], &Ok(()));
        check(&pod("{{ no image }}", ""), &[], &Ok(()));
    }

    #[test]
    fn rule_4_hooks_count_and_test_hooks_warn() {
        let hook =
            |event: &str| Hook { events: vec![event.to_owned()], manifest: pod(&format!("{ECR}/a:v1"), "") };
        let count = |event: &str| {
            let objects = objects("", &[hook(event)]).unwrap();
            let (errors, warnings) = unpinned(&objects);
            (errors.len(), warnings.len())
        };
        assert_eq!(count("pre-upgrade"), (1, 0));
        assert_eq!(count("test"), (0, 1));
    }

    #[test]
    fn what_may_go_without_a_digest_is_told() {
        let told = |policy: Policy| {
            let manifest = format!("{}---\n{}", pod(&format!("{ECR}/a:v1"), ""), pod("nginx:1", ""));
            let objects = objects(&manifest, &[]).unwrap();
            assert_eq!(prove(&objects, &[], &policy), Ok(()));
            tolerated(&objects, &policy).into_iter().map(|used| used.image).collect::<Vec<_>>()
        };
        let policy = Policy { required: Required::None, ..Policy::default() };
        assert_eq!(told(policy.clone()), [format!("{ECR}/a:v1")]);
        assert_eq!(
            told(Policy { pinned: Pinned::All, ..policy.clone() }),
            [format!("{ECR}/a:v1"), "nginx:1".to_owned()]
        );
        assert_eq!(told(Policy { allowed: vec![format!("{ECR}/*")], ..Policy::default() }), [""; 0]);
        assert_eq!(told(Policy { pinned: Pinned::Off, ..policy }), [""; 0]);
    }

    #[test]
    fn pins_have_to_show() {
        let image = format!("{ECR}/a:v1@{DIGEST}");
        check(&pod(&image, "1"), &[pin()], &Ok(()));
        check(&pod(&format!("{ECR}/a@{DIGEST}"), ""), &[pin()], &Ok(()));
        let no_effect = |image: &str| {
            Err(format!(
                "no image of the chart comes from values path `image`: setting it to {image} changed nothing"
            ))
        };
        check(&pod("nginx:1", ""), &[pin()], &no_effect(&image));
        check(&pod(&format!("{ECR}/b@{DIGEST}"), ""), &[pin()], &no_effect(&image));
    }

    #[test]
    fn digests_stay_in_images() {
        let image = format!("{ECR}/a:v1@{DIGEST}");
        check(
            &pod(&image, &format!("v1@{DIGEST}")),
            &[pin()],
            &Err(format!(
                "the chart puts the tag of values path `image` into more than the image: \
                 metadata.labels.v of Pod/p would be `v1@{DIGEST}`"
            )),
        );
        let variable = format!("{}---\nkind: ConfigMap\ndata: {{IMAGE: \"{image}\"}}\n", pod(&image, ""));
        check(&variable, &[pin()], &Ok(()));
    }
}
