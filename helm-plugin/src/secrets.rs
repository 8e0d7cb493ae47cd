//! What the Secrets of a release hold, so that it can be hidden in what programs, nodes and Helm write.
//!
//! A precaution, and no proof: a program may write a secret in a form that nobody knows, or one that is not of the
//! release.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::images::uses::Rendered;

/// Shorter lines are words: hiding them would hide more than secrets.
const SHORTEST: usize = 8;
const HIDDEN: &str = "(hidden)";

/// The lines that are hidden, the longest first.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Those of the objects that are Secrets, plain and as Kubernetes writes them.
    pub(crate) fn of(objects: &[Rendered]) -> Self {
        let is_secret = |content: &&Value| content["kind"] == "Secret" && content["apiVersion"] == "v1";
        let contents = objects.iter().map(|rendered| &rendered.content).filter(is_secret);
        let mut found: Vec<String> = contents.flat_map(texts).flat_map(|text| lines(&text)).collect();
        found.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        found.dedup();
        Self(found)
    }

    /// The text without them.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in self.0.iter().filter(|secret| text.contains(secret.as_str())) {
            shown = shown.replace(secret.as_str(), HIDDEN);
        }
        shown
    }
}

fn texts(secret: &Value) -> Vec<String> {
    let values = |field: &str| {
        let map = secret[field].as_object().into_iter().flatten();
        map.filter_map(|(_, value)| Some(value.as_str()?.to_owned())).collect::<Vec<_>>()
    };
    let (mut texts, encoded) = (values("stringData"), values("data"));
    let decoded = encoded.iter().filter_map(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
    texts.extend(decoded.collect::<Vec<_>>());
    texts.extend(texts.iter().map(|text| STANDARD.encode(text)).collect::<Vec<_>>());
    texts
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST);
    lines.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::uses;

    #[test]
    fn rule_16_what_secrets_hold_is_hidden() {
        let manifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: open-sesame, b: short}\n\
                        data: {c: bGluZSBudW1iZXIgb25lCmxpbmUgbnVtYmVyIHR3bwo=}\n---\n\
                        apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: not-a-secret}\n";
        let secrets = Secrets::of(&uses::objects(manifest, &[]).unwrap());
        let check = |text: &str, expected: &str| assert_eq!(secrets.hide(text), expected);
        check("pass open-sesame twice: open-sesame", "pass (hidden) twice: (hidden)");
        check("b3Blbi1zZXNhbWU=", "(hidden)");
        check("x line number two, line number three", "x (hidden), line number three");
        check("short not-a-secret", "short not-a-secret");
        assert_eq!(format!("{secrets:?}"), "Secrets(6)");
    }
}
