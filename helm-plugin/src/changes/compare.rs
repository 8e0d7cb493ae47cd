//! Two forms of one object, field by field.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Field, Shown};

/// What the API server and its controllers keep for themselves.
const OWN_METADATA: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"];
/// The first holds a whole object, which may be a Secret.
const OWN_ANNOTATIONS: [&str; 2] =
    ["kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"];
/// What a Secret holds.
const SECRET: [&str; 2] = ["data", "stringData"];

/// The object without what nobody asks for.
pub(super) fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !OWN_METADATA.contains(&key.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|key, _| !OWN_ANNOTATIONS.contains(&key.as_str()));
        }
    }
    object
}

/// The object as it may be shown: of a Secret there are keys and no values.
pub(super) fn shown(object: &Value) -> Value {
    let mut object = bare(object);
    if is_secret(&object) {
        for field in SECRET {
            for (_, value) in object.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
                *value = "(hidden)".into();
            }
        }
    }
    object
}

fn is_secret(object: &Value) -> bool {
    object["kind"] == "Secret" && object["apiVersion"] == "v1"
}

/// The fields that differ.
pub(super) fn fields(before: &Value, after: &Value) -> Vec<Field> {
    let mut differing = Differing { found: Vec::new(), secret: is_secret(before) || is_secret(after) };
    differing.walk("", Some(&bare(before)), Some(&bare(after)));
    differing.found
}

struct Differing {
    found: Vec<Field>,
    secret: bool,
}

impl Differing {
    fn walk(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (before, after) if before == after => {}
            (Some(Value::Object(before)), Some(Value::Object(after))) => self.maps(path, before, after),
            (Some(Value::Array(before)), Some(Value::Array(after))) => match (named(before), named(after)) {
                (Some(before), Some(after)) => self.lists(path, &before, &after),
                _ if before.len() == after.len() => {
                    for (index, (before, after)) in before.iter().zip(after).enumerate() {
                        self.walk(&format!("{path}[{index}]"), Some(before), Some(after));
                    }
                }
                _ => self.add(path, Some(&before.clone().into()), Some(&after.clone().into())),
            },
            // Which keys come is shown of a Secret too.
            (None, Some(Value::Object(after))) if self.is_of_secret(path) => {
                self.maps(path, &Map::new(), after);
            }
            (Some(Value::Object(before)), None) if self.is_of_secret(path) => {
                self.maps(path, before, &Map::new());
            }
            (before, after) => self.add(path, before, after),
        }
    }

    fn maps(&mut self, path: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
        for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            self.walk(&below(path, key), before.get(key), after.get(key));
        }
    }

    fn lists(&mut self, path: &str, before: &Named<'_>, after: &Named<'_>) {
        let names = before.iter().chain(after).map(|(name, _)| *name).collect::<BTreeSet<_>>();
        for name in names {
            let item = |list: &Named<'_>| {
                list.iter().find(|(known, _)| *known == name).map(|(_, item)| (*item).clone())
            };
            self.walk(&format!("{path}[{name}]"), item(before).as_ref(), item(after).as_ref());
        }
    }

    fn add(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        let hidden = self.is_of_secret(path);
        let shown = |value: Option<&Value>| match value {
            None => Shown::Nothing,
            Some(_) if hidden => Shown::Hidden,
            Some(value) => Shown::Value(value.clone()),
        };
        self.found.push(Field { path: path.to_owned(), before: shown(before), after: shown(after) });
    }

    fn is_of_secret(&self, path: &str) -> bool {
        self.secret && SECRET.contains(&path.split(['.', '[']).next().unwrap_or_default())
    }
}

/// A list whose items have names.
type Named<'a> = Vec<(&'a str, &'a Value)>;

/// As such a list, if every item has a name of its own.
pub(super) fn named(list: &[Value]) -> Option<Named<'_>> {
    let named: Named<'_> =
        list.iter().map(|item| Some((item["name"].as_str()?, item))).collect::<Option<_>>()?;
    let distinct: BTreeSet<&str> = named.iter().map(|(name, _)| *name).collect();
    (distinct.len() == list.len()).then_some(named)
}

/// The path of a key below another path.
fn below(path: &str, key: &str) -> String {
    match (path, key.contains(['.', '/', '['])) {
        (path, true) => format!("{path}[{key:?}]"),
        ("", false) => key.to_owned(),
        (path, false) => format!("{path}.{key}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "rows are written where they are checked")]
    fn check(before: Value, after: Value, expected: &[&str]) {
        let found: Vec<String> = fields(&before, &after).iter().map(Field::to_string).collect();
        assert_eq!(found, expected, "{before} {after}");
    }

    #[test]
    fn fields_that_differ() {
        let pod = |containers: Value| json!({"spec": {"containers": containers}});
        check(json!({"a": 1}), json!({"a": 1}), &[]);
        check(
            json!({"a": 1, "b": 2}),
            json!({"a": 2, "c": [3]}),
            &["a: 1 → 2", "b: 2 → nothing", "c: nothing → [3]"],
        );
        let (web, log) = (json!({"name": "web", "image": "a"}), json!({"name": "log", "image": "b"}));
        let new = json!({"name": "web", "image": "c"});
        check(pod(json!([web, log])), pod(json!([log, new])), &["spec.containers[web].image: \"a\" → \"c\""]);
        check(json!({"l": [1, 2]}), json!({"l": [1, 3]}), &["l[1]: 2 → 3"]);
        check(json!({"l": [1, 2]}), json!({"l": [1]}), &["l: [1,2] → [1]"]);
        let annotated = |text: &str| json!({"metadata": {"annotations": {"a.b/c": text}}});
        check(annotated("x"), annotated("y"), &["metadata.annotations[\"a.b/c\"]: \"x\" → \"y\""]);
        let kept =
            json!({"metadata": {"uid": "1", "generation": 1, "managedFields": []}, "status": {"a": 1}});
        check(kept, json!({"metadata": {}}), &[]);
    }

    #[test]
    fn rule_9_what_secrets_hold_is_hidden() {
        let secret = |fields: Value| {
            let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque"});
            secret.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            secret
        };
        let data = |value: &str| secret(json!({"data": {"password": value}}));
        check(data("b2xk"), data("bmV3"), &["data.password: changed (hidden)"]);
        check(data("b2xk"), secret(json!({})), &["data.password: removed (hidden)"]);
        check(secret(json!({})), data("bmV3"), &["data.password: added (hidden)"]);
        check(
            data("b2xk"),
            secret(json!({"stringData": {"a.b": "c"}})),
            &["data.password: removed (hidden)", "stringData[\"a.b\"]: added (hidden)"],
        );
        let applied = json!({"metadata": {"annotations": {OWN_ANNOTATIONS[0]: "{\"data\": \"b2xk\"}"}}});
        check(
            secret(applied.clone()),
            data("bmV3"),
            &["data.password: added (hidden)", "metadata: {\"annotations\":{}} → nothing"],
        );
        let mut whole = data("b2xk");
        whole["metadata"] = applied["metadata"].clone();
        assert!(!shown(&whole).to_string().contains("b2xk"));
    }
}
