//! Which images are pinned, which have to be, and which need not be.

use clap::ValueEnum;
use ecr_registry::Reference;
use schemars::JsonSchema;
use serde::Deserialize;

/// The images that are pinned without being named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pinned {
    /// Those of private ECR registries.
    #[default]
    Ecr,
    /// All.
    All,
    /// None: only what --image names.
    Off,
}

/// The images that may not run without a digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Required {
    /// Those of private ECR registries.
    #[default]
    Ecr,
    /// All.
    All,
    /// None: an image without a digest is a warning.
    None,
}

/// What is to become of the images of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// What is pinned.
    pub(crate) pinned: Pinned,
    /// What has to be.
    pub(crate) required: Required,
    /// What need not be, whatever else is said: images as they are rendered, `*` for any text.
    pub(crate) allowed: Vec<String>,
}

impl Policy {
    /// Whether an image is to be pinned if its place in the values can be told.
    pub(crate) fn pins(&self, image: &str, reference: &Reference) -> bool {
        let in_scope = match self.pinned {
            Pinned::Ecr => is_of_ecr(reference),
            Pinned::All => true,
            Pinned::Off => false,
        };
        in_scope && !self.allows(image)
    }

    /// Whether an image may not be deployed without a digest.
    pub(crate) fn requires(&self, image: &str, reference: &Reference) -> bool {
        let in_scope = match self.required {
            Required::Ecr => is_of_ecr(reference),
            Required::All => true,
            Required::None => false,
        };
        in_scope && !self.allows(image)
    }

    fn allows(&self, image: &str) -> bool {
        self.allowed.iter().any(|pattern| matches(pattern, image))
    }
}

fn is_of_ecr(reference: &Reference) -> bool {
    reference.repository.host().ecr().is_some()
}

/// Whether the text is the pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place is the best one: it leaves the most to those that follow.
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:v1";

    #[test]
    fn scopes() {
        let check = |pinned, required, allowed: &[&str], image: &str, expected: (bool, bool)| {
            let allowed = allowed.iter().map(|text| (*text).to_owned()).collect();
            let policy = Policy { pinned, required, allowed };
            let reference = image.parse().unwrap();
            let got = (policy.pins(image, &reference), policy.requires(image, &reference));
            assert_eq!(got, expected, "{policy:?}: {image}");
        };
        check(Pinned::Ecr, Required::Ecr, &[], ECR, (true, true));
        check(Pinned::Ecr, Required::Ecr, &[], "nginx:1", (false, false));
        check(Pinned::Ecr, Required::Ecr, &[], "public.ecr.aws/x/y:1", (false, false));
        check(Pinned::All, Required::Ecr, &[], "nginx:1", (true, false));
        check(Pinned::Ecr, Required::All, &[], "nginx:1", (false, true));
        check(Pinned::Off, Required::None, &[], ECR, (false, false));
        check(Pinned::All, Required::All, &["nginx:*"], "nginx:1", (false, false));
        check(Pinned::All, Required::All, &["nginx:*"], "nginx", (true, true));
    }

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        };
        check("nginx", "nginx", true);
        check("nginx", "nginx:1", false);
        check("*", "", true);
        check("nginx:*", "nginx:1", true);
        check("*/nginx:*", "docker.io/library/nginx:1", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c", false);
        check("a*a", "a", false);
        check("*.pause", "x.pause.y", false);
    }
}
