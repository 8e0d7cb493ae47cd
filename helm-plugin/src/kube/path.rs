//! Where objects are in the API, and how some of them are chosen.

use std::fmt::Write as _;

use serde_json::Value;

/// The objects of one kind in one namespace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection<'a> {
    /// Group and version, as a path: `api/v1`, `apis/apps/v1`.
    pub(crate) group: &'static str,
    /// The kind, as a path: `pods`.
    pub(crate) kind: &'static str,
    /// The namespace.
    pub(crate) namespace: &'a str,
}

impl Collection<'_> {
    /// The path of them all.
    pub(super) fn path(&self) -> String {
        format!("/{}/namespaces/{}/{}", self.group, encoded(self.namespace), self.kind)
    }

    /// The path of one.
    pub(super) fn one(&self, name: &str) -> String {
        format!("{}/{}", self.path(), encoded(name))
    }
}

/// Percent-encoded, for a path or a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The `labelSelector` that chooses what an object's `spec.selector` does.
pub(crate) fn selector(spec: &Value) -> String {
    let labels = spec["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let expressions = spec["matchExpressions"].as_array().into_iter().flatten().filter_map(expression);
    labels.chain(expressions).collect::<Vec<_>>().join(",")
}

fn expression(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values: Vec<&str> =
        expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Some(match expression["operator"].as_str()? {
        "In" => format!("{key} in ({})", values.join(",")),
        "NotIn" => format!("{key} notin ({})", values.join(",")),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let pods = Collection { group: "api/v1", kind: "pods", namespace: "shop" };
        assert_eq!(pods.path(), "/api/v1/namespaces/shop/pods");
        assert_eq!(pods.one("a/../b?c"), "/api/v1/namespaces/shop/pods/a%2F..%2Fb%3Fc");
    }

    #[test]
    fn selectors() {
        let check = |spec: Value, expected: &str| assert_eq!(selector(&spec), expected);
        check(json!({"matchLabels": {"app": "web", "tier": "a"}}), "app=web,tier=a");
        check(
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "zone", "operator": "NotIn", "values": ["c"]},
                {"key": "x", "operator": "Exists"},
                {"key": "y", "operator": "DoesNotExist"},
                {"key": "z", "operator": "Near"},
            ]}),
            "app=web,tier in (a,b),zone notin (c),x,!y",
        );
        check(Value::Null, "");
    }
}
