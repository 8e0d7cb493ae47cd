//! What a post-renderer of ours does: in a stream of manifests the scalars that say images say them by digest. Not a
//! byte beside them changes, so that comments, repeated keys and the spelling of everything else stay as the chart has
//! them.
//!
//! It knows no registry: what an image becomes was decided, and proved, before Helm began.

mod scalars;

use std::{borrow::Cow, collections::BTreeMap};

use saphyr_parser::ScanError;
use serde_json::Value;

use super::{document, uses, values_path::ValuesPath};
use crate::{exit::Exit, failure::Explain};

/// What images become, by the text that a chart renders for them.
pub(crate) type Rewrites = BTreeMap<String, String>;

/// A manifest cannot be changed in the images alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RewriteError {
    /// It is not YAML.
    #[error("cannot read a manifest that has `{image}`")]
    Read {
        /// An image in it.
        image: String,
        /// Where, and what.
        #[source]
        source: serde_yaml_ng::Error,
    },
    /// It is not YAML for a stricter reader.
    #[error("cannot read a manifest that has `{image}`")]
    Scan {
        /// An image in it.
        image: String,
        /// Where, and what.
        #[source]
        source: ScanError,
    },
    /// The text that says the image says something else too: an alias, a merged map, a second document in one.
    #[error("`{image}` of {object} cannot be replaced in the manifest without changing more")]
    Entangled {
        /// The image.
        image: String,
        /// The object.
        object: String,
    },
}

impl Explain for RewriteError {
    fn exit(&self) -> Exit {
        Exit::ImagePolicy
    }

    fn hint(&self) -> Option<String> {
        Some(
            "let the chart take this image from a value of its own, and name that: --image PATH=REF"
                .to_owned(),
        )
    }
}

/// Replaces the images of a stream of manifests.
pub(crate) fn rewrite(stream: &str, rewrites: &Rewrites) -> Result<String, RewriteError> {
    let mut out = String::with_capacity(stream.len() + stream.len() / 16);
    for text in documents(stream) {
        // What has no such image is not even read. An image may hide behind an escape.
        let image = rewrites.keys().find(|image| text.contains(*image) || text.contains('\\'));
        match image {
            Some(image) => out.push_str(&rewrite_document(text, image, rewrites)?),
            None => out.push_str(text),
        }
    }
    Ok(out)
}

/// The stream, cut before every line that begins a document. No scalar can have such a line.
fn documents(stream: &str) -> impl Iterator<Item = &str> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        let marks = rest.match_indices("\n---").map(|(at, _)| at + 1);
        let is_mark =
            |at: &usize| rest[at + 3..].chars().next().is_none_or(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        let (document, after) = rest.split_at(marks.into_iter().find(is_mark).unwrap_or(rest.len()));
        rest = after;
        (!document.is_empty()).then_some(document)
    })
}

fn rewrite_document<'a>(
    text: &'a str,
    image: &str,
    rewrites: &Rewrites,
) -> Result<Cow<'a, str>, RewriteError> {
    let read = |text: &str| {
        document::read_all(text).map_err(|source| RewriteError::Read { image: image.to_owned(), source })
    };
    let before = read(text)?;
    let wanted: Vec<Replaced<'_>> = before.iter().flat_map(|document| replaced(document, rewrites)).collect();
    let Some(first) = wanted.first() else { return Ok(Cow::Borrowed(text)) };
    let (image, object) = (first.image.clone(), first.object.clone());
    let scan = |source| RewriteError::Scan { image: image.clone(), source };
    let scalars = scalars::scalars(text, |value| rewrites.contains_key(value)).map_err(scan)?;
    let mut expected = before.clone();
    let mut edits = BTreeMap::new();
    for Replaced { path, image, new, .. } in &wanted {
        if let Some(document) = expected.first_mut() {
            path.set(document, &Value::Null, (*new).into());
        }
        if let Some(at) =
            scalars.get(path).and_then(|span| Some(span.start + text.get(span.clone())?.find(image)?))
        {
            edits.insert(at, (image.len(), *new));
        }
    }
    let changed = apply(text, &edits);
    if read(&changed).ok() == Some(expected) {
        Ok(Cow::Owned(changed))
    } else {
        Err(RewriteError::Entangled { image, object })
    }
}

/// An image that becomes another one.
struct Replaced<'a> {
    path: ValuesPath,
    object: String,
    image: String,
    new: &'a str,
}

fn replaced<'a>(document: &Value, rewrites: &'a Rewrites) -> Vec<Replaced<'a>> {
    let mut found = Vec::new();
    for rendered in uses::objects_of(document) {
        for used in uses::images(&rendered) {
            let below = used.path.parse::<ValuesPath>();
            if let (Some(new), Ok(below)) = (rewrites.get(&used.image), below) {
                let object = used.object.to_string();
                found.push(Replaced { path: rendered.at.join(&below), object, image: used.image, new });
            }
        }
    }
    found
}

/// The text with what stands at these places, and has these lengths, replaced.
fn apply(text: &str, edits: &BTreeMap<usize, (usize, &str)>) -> String {
    let mut out = String::with_capacity(text.len() + edits.len() * 80);
    let mut done = 0;
    for (at, (length, new)) in edits {
        out.push_str(&text[done..*at]);
        out.push_str(new);
        done = at + length;
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "r.example/api:v1";
    const NEW: &str = "r.example/api:v1@sha256:00";

    fn rewrites() -> Rewrites {
        Rewrites::from([(OLD.to_owned(), NEW.to_owned())])
    }

    /// Only what stands between `«` and `»` becomes the new image.
    fn check(marked: &str) {
        let old = marked.replace(['«', '»'], "");
        let expected = marked.replace(&format!("«{OLD}»"), NEW);
        assert_eq!(rewrite(&old, &rewrites()).unwrap(), expected);
        assert_eq!(rewrite(&expected, &rewrites()).unwrap(), expected, "twice is once");
    }

    #[test]
    fn rule_3_changes_images_and_nothing_else() {
        check(
            "kind: Pod\nspec:\n  containers:\n  - image: «r.example/api:v1» # of r.example/api:v1\n    name: é\n",
        );
        check(
            "kind: Pod\nspec: {containers: [{name: \"ü\", image: \"«r.example/api:v1»\"}, {image: '«r.example/api:v1»'}]}",
        );
        check(
            "kind: Pod\nspec:\n  containers:\n  - image: >-\n      «r.example/api:v1»\n    args: [r.example/api:v1]\n",
        );
        check(
            "kind: Pod\nspec:\n  containers:\n  - image: !!str «r.example/api:v1»\n  - image: &a «r.example/api:v1»\n",
        );
        check("kind: Pod\r\nspec:\r\n  containers:\r\n  - image: «r.example/api:v1»\r\n---\r\nkind: X\r\n");
        check("kind: ConfigMap\ndata:\n  image: r.example/api:v1\n  text: |\n    image: r.example/api:v1\n");
        check("kind: Pod\nspec:\n  containers:\n  - image: x\n    image: «r.example/api:v1»\n");
        check("kind: Pod\nspec:\n  containers:\n  - image: r.example/api:v1\n    image: x\n");
    }

    #[test]
    fn streams_and_lists() {
        let list = "kind: List\nitems:\n- kind: ConfigMap\n  data: {a: \"\\u00e9\"}\n- kind: Pod\n  spec:\n    \
                    containers:\n    - {image: «r.example/api:v1»}\n";
        check(list);
        check(&format!("# r.example/api:v1\n---\n# Source: x\n{list}---\n---\n\n{list}--- # end"));
        check("kind: Pod\nspec: {containers: [{env: [{value: \"--- r.example/api:v1\\\n\\\n  \"}]}]}\n");
        check("");
    }

    #[test]
    fn what_cannot_be_told_apart_is_an_error() {
        let check = |text: &str| {
            let error = rewrite(text, &rewrites()).unwrap_err();
            assert!(matches!(error, RewriteError::Entangled { .. }), "{error}");
        };
        check("kind: Pod\nx: &c {image: r.example/api:v1}\nspec: {containers: [*c]}\n");
        check("kind: Pod\nx: &c {image: r.example/api:v1}\nspec: {containers: [{<<: *c}]}\n");
        check("kind: Pod\nspec: {containers: [{image: \"r.example\\/api:v1\"}]}\n");
        for text in ["{image: r.example/api:v1", "a: 1\n...\nimage: r.example/api:v1\n"] {
            let broken = rewrite(text, &rewrites()).unwrap_err();
            assert!(matches!(broken, RewriteError::Read { .. }), "{broken}");
        }
    }

    #[test]
    fn an_anchor_that_only_images_use_is_replaced_once() {
        check("kind: Pod\nspec: {containers: [{image: &i «r.example/api:v1»}, {image: *i}]}\n");
    }
}
