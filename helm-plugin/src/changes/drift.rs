//! What is in the cluster and not as the release has it.
//!
//! Only fields that the release sets are looked at: the API server fills in the others. A number has many spellings.

use serde_json::Value;

use super::{
    Field, Shown,
    compare::{fields, named},
};

/// The fields of the release that the cluster has otherwise.
pub(super) fn drift(stored: &Value, live: &Value) -> Vec<Field> {
    let mut common = live.clone();
    cut(&mut common, stored);
    let mut found = fields(stored, &common);
    // What a Secret is given as text is kept as data.
    found.retain(|field| {
        let left_out = field.after == Shown::Nothing && is_empty(&field.before);
        !(left_out || field.path.starts_with("stringData"))
    });
    found
}

fn is_empty(shown: &Shown) -> bool {
    match shown {
        Shown::Value(Value::Null) => true,
        Shown::Value(Value::Array(list)) => list.is_empty(),
        Shown::Value(Value::Object(map)) => map.is_empty(),
        Shown::Value(_) | Shown::Nothing | Shown::Hidden => false,
    }
}

/// Cuts `live` down to what `stored` has, and gives it `stored`'s spelling of what is the same.
fn cut(live: &mut Value, stored: &Value) {
    match (live, stored) {
        (Value::Object(live), Value::Object(stored)) => {
            live.retain(|key, _| stored.contains_key(key));
            for (key, live) in live {
                cut(live, &stored[key]);
            }
        }
        (Value::Array(live), Value::Array(stored)) => match named(stored) {
            Some(names) if named(live).is_some() => {
                live.retain(|item| names.iter().any(|(name, _)| item["name"] == *name));
                for item in live {
                    if let Some((_, stored)) = names.iter().find(|(name, _)| item["name"] == *name) {
                        cut(item, stored);
                    }
                }
            }
            _ => live.iter_mut().zip(stored).for_each(|(live, stored)| cut(live, stored)),
        },
        (live, stored) => {
            let same = text(live).zip(text(stored)).is_some_and(|(live, stored)| {
                live == stored
                    || quantity(&live).zip(quantity(&stored)).is_some_and(|(a, b)| (a - b).abs() < 1e-9)
            });
            if same {
                *live = stored.clone();
            }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A quantity as Kubernetes counts: `1000m` is `1`.
fn quantity(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 9] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = unit.unwrap_or((text, 1.0));
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_otherwise() {
        let check = |stored: Value, live: Value, expected: &[&str]| {
            let found: Vec<String> = drift(&stored, &live).iter().map(Field::to_string).collect();
            assert_eq!(found, expected, "{stored} {live}");
        };
        check(json!({"a": 1}), json!({"a": 1, "filled": "in"}), &[]);
        check(json!({"replicas": 1}), json!({"replicas": 3}), &["replicas: 1 → 3"]);
        check(json!({"a": null, "b": {}}), json!({}), &[]);
        let limits = |cpu: Value| json!({"cpu": cpu, "memory": "1Gi"});
        check(limits(json!("1000m")), limits(json!("1")), &[]);
        check(limits(json!(1)), limits(json!("1")), &[]);
        check(json!({"memory": "1Gi"}), json!({"memory": "1024Mi"}), &[]);
        check(limits(json!("1")), limits(json!("2")), &["cpu: \"1\" → \"2\""]);
        let containers = |image: &str| json!([{"name": "a", "image": image}]);
        let more =
            json!([{"name": "side", "image": "x"}, {"name": "a", "image": "1", "imagePullPolicy": "Always"}]);
        check(containers("1"), more, &[]);
        check(containers("1"), containers("2"), &["[a].image: \"1\" → \"2\""]);
        let secret =
            |field: &str, value: &str| json!({"apiVersion": "v1", "kind": "Secret", field: {"a": value}});
        check(secret("stringData", "x"), secret("data", "eA=="), &[]);
        check(secret("data", "eA=="), secret("data", "eQ=="), &["data.a: changed (hidden)"]);
    }
}
