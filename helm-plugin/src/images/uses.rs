//! Every image that rendered manifests run: the pod specs of all built-in kinds.

use std::fmt;

use ecr_registry::{Digest, Reference};
use serde_json::Value;

use super::{document, values_path::ValuesPath};
use crate::helm::dry_run::Hook;

/// One image in one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageUse {
    /// The reference as it was rendered.
    pub(crate) image: String,
    /// The object.
    pub(crate) object: Object,
    /// Where in the object: `spec.template.spec.containers[0].image`.
    pub(crate) path: String,
}

impl ImageUse {
    /// The digest that it names.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.image.parse::<Reference>().ok()?.digest
    }
}

/// A rendered Kubernetes object, as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its kind.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// The events that it is a hook of; empty for an ordinary object.
    pub(crate) events: Vec<String>,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)?;
        if self.events.is_empty() { Ok(()) } else { write!(f, " (hook: {})", self.events.join(", ")) }
    }
}

impl Object {
    /// Whether it only ever runs in `helm test`.
    pub(crate) fn is_test(&self) -> bool {
        !self.events.is_empty() && self.events.iter().all(|event| event == "test" || event == "test-success")
    }
}

/// A rendered object with its content.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Which object.
    pub(crate) object: Object,
    /// What was rendered.
    pub(crate) content: Value,
    /// Where it stands in its document: at the root, or among the items of a list.
    pub(crate) at: ValuesPath,
}

/// Reads all objects of a release, its hooks and the items of lists included.
pub(crate) fn objects(manifest: &str, hooks: &[Hook]) -> Result<Vec<Rendered>, serde_yaml_ng::Error> {
    let mut rendered = Vec::new();
    for document in document::read_all(manifest)? {
        add(&mut rendered, document, &ValuesPath::root(), &[]);
    }
    for hook in hooks {
        for document in document::read_all(&hook.manifest)? {
            add(&mut rendered, document, &ValuesPath::root(), &hook.events);
        }
    }
    Ok(rendered)
}

/// Reads the objects of one document.
pub(crate) fn objects_of(document: &Value) -> Vec<Rendered> {
    let mut rendered = Vec::new();
    add(&mut rendered, document.clone(), &ValuesPath::root(), &[]);
    rendered
}

fn add(rendered: &mut Vec<Rendered>, mut content: Value, at: &ValuesPath, events: &[String]) {
    let text = |content: &Value, pointer: &str| {
        content.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let kind = text(&content, "/kind");
    if kind.ends_with("List")
        && let Some(Value::Array(items)) = content.get_mut("items").map(Value::take)
    {
        for (index, item) in items.into_iter().enumerate() {
            add(rendered, item, &at.key("items").index(index), events);
        }
        return;
    }
    let object = Object { kind, name: text(&content, "/metadata/name"), events: events.to_vec() };
    rendered.push(Rendered { object, content, at: at.clone() });
}

/// The images of one object.
pub(crate) fn images(rendered: &Rendered) -> Vec<ImageUse> {
    let Some(place) = pod_spec(&rendered.object.kind) else { return Vec::new() };
    let Some(spec) = rendered.content.pointer(&format!("/{}", place.join("/"))) else { return Vec::new() };
    let mut found = Vec::new();
    for (list, field) in [
        ("initContainers", "/image"),
        ("containers", "/image"),
        ("ephemeralContainers", "/image"),
        ("volumes", "/image/reference"),
    ] {
        for (index, item) in spec.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            if let Some(image) = item.pointer(field).and_then(Value::as_str) {
                found.push(ImageUse {
                    image: image.to_owned(),
                    object: rendered.object.clone(),
                    path: format!("{}.{list}[{index}]{}", place.join("."), field.replace('/', ".")),
                });
            }
        }
    }
    found
}

/// Where the pod spec stands in an object of this kind.
fn pod_spec(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pod" => &["spec"],
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            &["spec", "template", "spec"]
        }
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "PodTemplate" => &["template", "spec"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: &str, expected: &[(&str, &str, &str)]) {
        let objects = objects(manifest, &[]).unwrap();
        let found: Vec<_> = objects.iter().flat_map(images).collect();
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.object.to_string(), found.path.as_str(), found.image.as_str()))
            .collect();
        let found: Vec<_> =
            found.iter().map(|(object, path, image)| (object.as_str(), *path, *image)).collect();
        assert_eq!(found, expected, "{manifest}");
    }

    #[test]
    fn every_kind() {
        check(
            "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: a}], initContainers: [{image: b}], \
             ephemeralContainers: [{image: c}], volumes: [{name: x}, {image: {reference: d}}]}\n",
            &[
                ("Pod/p", "spec.initContainers[0].image", "b"),
                ("Pod/p", "spec.containers[0].image", "a"),
                ("Pod/p", "spec.ephemeralContainers[0].image", "c"),
                ("Pod/p", "spec.volumes[1].image.reference", "d"),
            ],
        );
        for kind in ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"] {
            let manifest = format!(
                "kind: {kind}\nmetadata: {{name: x}}\nspec: {{template: {{spec: {{containers: [{{image: a}}]}}}}}}\n"
            );
            check(&manifest, &[(&format!("{kind}/x"), "spec.template.spec.containers[0].image", "a")]);
        }
        check(
            "kind: CronJob\nmetadata: {name: c}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}\n",
            &[("CronJob/c", "spec.jobTemplate.spec.template.spec.containers[0].image", "a")],
        );
        check(
            "kind: PodTemplate\nmetadata: {name: t}\ntemplate: {spec: {containers: [{image: a}]}}\n",
            &[("PodTemplate/t", "template.spec.containers[0].image", "a")],
        );
    }

    #[test]
    fn lists_and_odd_documents() {
        check(
            "kind: List\nitems:\n- kind: Pod\n  metadata: {name: p}\n  spec: {containers: [{image: a}]}\n- 7\n",
            &[("Pod/p", "spec.containers[0].image", "a")],
        );
        check("kind: ConfigMap\ndata: {image: a}\n---\n- 1\n---\nkind: Pod\nspec: 3\n", &[]);
        check("kind: Pod\nspec: {containers: {image: a}}\n", &[]);
    }

    #[test]
    fn hooks_carry_their_events() {
        let hook = |events: &[&str]| Hook {
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            manifest: "kind: Pod\nmetadata: {name: t}\nspec: {containers: [{image: a}]}".to_owned(),
        };
        let objects = objects("", &[hook(&["test"]), hook(&["pre-upgrade", "test"])]).unwrap();
        assert_eq!(objects[0].object.to_string(), "Pod/t (hook: test)");
        assert!(objects[0].object.is_test());
        assert!(!objects[1].object.is_test());
        assert_eq!(images(&objects[1])[0].image, "a");
    }
}
