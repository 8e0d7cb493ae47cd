//! What the fuzzer feeds, and what has to hold then. A panic is a finding.
//!
//! The programs for the fuzzer are in `fuzz/`, what is worth keeping in `fuzz/corpus/`; the tests here go through all
//! of that again, and look for more in their own way.
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a panic is a finding")]

use std::path::Path;

use serde_json::json;
use serde_yaml_ng::Value;

use crate::{
    images::{
        document, lock,
        rewrite::{Rewrites, rewrite},
        uses,
    },
    plan::{self, Key},
    settings,
    verb::kubeconfig::file as kubeconfig,
};

const OLD: &str = "r.example/a:1";
const NEW: &str = "r.example/a:1@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Manifests, in which one image becomes another: that is all that changes, and a second time nothing does.
pub fn post_render(data: &[u8]) {
    let Ok(manifests) = std::str::from_utf8(data) else { return };
    let rewrites = Rewrites::from([(OLD.to_owned(), NEW.to_owned())]);
    let Ok(changed) = rewrite(manifests, &rewrites) else { return };
    assert_eq!(changed.replace(NEW, OLD), manifests.replace(NEW, OLD), "only images are touched");
    assert_eq!(rewrite(&changed, &rewrites).ok().as_ref(), Some(&changed), "twice is once");
    let Ok(objects) = uses::objects(&changed, &[]) else { return };
    let left = objects.iter().flat_map(uses::images).find(|used| used.image == OLD);
    // Helm and we read what stands between marks; a document that is ended otherwise is not one that Helm reads.
    assert!(left.is_none() || manifests.contains("..."), "{left:?} is left");
    assert!(document::read_all(manifests).is_ok(), "what can be read afterwards could be before");
}

/// Files that people edit: each is read or refused, whatever is in it, and a kubeconfig keeps what others put there.
pub fn files(data: &[u8]) {
    let path = Path::new("file");
    let _ = plan::parse(path, data, &Key::new(None));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = (lock::parse(path, text), settings::file::parse(path, text));
    let entries = json!([{"name": "ours"}]);
    let ours = json!({"apiVersion": "v1", "current-context": "ours", "clusters": entries, "users": entries, "contexts": entries});
    let Ok(once) = kubeconfig::merged(path, text, &ours, false) else { return };
    assert_eq!(kubeconfig::merged(path, &once, &ours, false).ok().as_ref(), Some(&once), "twice is once");
    let [before, after] = [text, &once].map(|text| serde_yaml_ng::from_str::<Value>(text).unwrap());
    let others = |config: &Value, list: &str| -> Vec<Value> {
        let entries = config[list].as_sequence().cloned().unwrap_or_default();
        entries.into_iter().filter(|entry| entry.get("name").is_none_or(|name| name != "ours")).collect()
    };
    for (key, value) in before.as_mapping().into_iter().flatten() {
        match key.as_str() {
            Some(list @ ("clusters" | "users" | "contexts")) => {
                assert_eq!(others(&after, list), others(&before, list), "entries of others stay");
            }
            Some("current-context") => {}
            _ => assert_eq!(after.get(key), Some(value), "what is not ours stays"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_kept_still_passes() {
        let check = |name: &str, program: fn(&[u8])| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
            let inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(!inputs.is_empty());
            for path in inputs {
                program(&fs::read(path).unwrap());
            }
        };
        check("post_render", post_render);
        check("files", files);
    }

    /// A container in one of the ways that charts write it.
    fn container() -> impl Strategy<Value = String> {
        let image = prop_oneof![
            Just(OLD.to_owned()),
            Just(format!("'{OLD}'")),
            Just(format!("\"{OLD}\" # {OLD}")),
            Just("other:1".to_owned())
        ];
        (image, "[a-zé]{1,8}", any::<bool>()).prop_map(|(image, name, first)| {
            let (image, name) = (format!("image: {image}\n"), format!("name: {name}\n"));
            let (one, other) = if first { (image, name) } else { (name, image) };
            format!("  - {one}    {other}    args: [\"{OLD}\"]\n")
        })
    }

    proptest! {
        #[test]
        fn charts_as_people_write_them(
            pods in prop::collection::vec(prop::collection::vec(container(), 1..4), 0..4),
            end in prop_oneof![Just("\n"), Just("\r\n")],
            text in "[ -~é\n]{0,40}",
        ) {
            let pod = |containers: &Vec<String>| {
                format!("---\n# {OLD}\nkind: Pod\nspec:\n  containers:\n{}", containers.concat())
            };
            let text = text.replace('\n', "\n    ");
            let map = format!("---\nkind: ConfigMap\ndata:\n  image: {OLD}\n  text: |\n    x{text}\n");
            let stream = pods.iter().map(pod).collect::<String>() + &map;
            post_render(stream.replace('\n', end).as_bytes());
            let rewrites = Rewrites::from([(OLD.to_owned(), NEW.to_owned())]);
            prop_assert!(rewrite(&stream, &rewrites).is_ok(), "{stream}");
        }

        #[test]
        fn anything(text in "[-: \n\"'&*a!|>{}\\[\\]#?.,]{0,60}") {
            post_render(text.replace('a', "image: r.example/a:1").as_bytes());
            files(text.replace('a', "clusters: [{name: ours}]").as_bytes());
        }

        #[test]
        fn kubeconfigs_of_others(
            names in prop::collection::vec("[a-z]{1,4}|ours", 0..5), list in "clusters|users|contexts", more in "[a-z]{0,9}",
        ) {
            let entries: Vec<_> = names.iter().map(|name| json!({"name": name, "x": more})).collect();
            files(json!({list: entries, "preferences": {"more": more}, "current-context": null}).to_string().as_bytes());
        }
    }
}
