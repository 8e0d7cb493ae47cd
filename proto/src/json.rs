//! Values from Terraform's JSON form, that of the state.

use serde_json::Value as Json;

use crate::{Path, Type, Value, types::MAX_DEPTH, view::ValueError};

impl Value {
    /// Reads a value of a type. Attributes the type does not have are dropped, missing ones are null.
    ///
    /// # Errors
    /// If some part is not of its type, or it is nested more than 64 deep.
    pub fn from_json(json: &Json, kind: &Type) -> Result<Self, ValueError> {
        read(json, kind, &Path::root(), MAX_DEPTH)?.conform(kind)
    }
}

fn read(json: &Json, kind: &Type, path: &Path, depth: usize) -> Result<Value, ValueError> {
    let refused = || ValueError { path: path.clone(), wanted: kind.to_string(), found: found(json) };
    let depth = depth.checked_sub(1).ok_or_else(refused)?;
    match (kind, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(truth)) => Ok(Value::Bool(*truth)),
        (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (Type::Number, Json::Number(number)) => {
            number.to_string().parse().map(Value::Number).map_err(|_| refused())
        }
        (Type::List(element) | Type::Set(element), Json::Array(elements)) => {
            let elements = elements.iter().enumerate();
            let read = elements.map(|(index, json)| read(json, element, &path.clone().index(index), depth));
            read.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Tuple(kinds), Json::Array(elements)) if kinds.len() == elements.len() => {
            let elements = elements.iter().zip(kinds).enumerate();
            let read =
                elements.map(|(index, (json, kind))| read(json, kind, &path.clone().index(index), depth));
            read.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Map(element), Json::Object(members)) => {
            let read = members
                .iter()
                .map(|(key, json)| Ok((key.clone(), read(json, element, &path.clone().key(key), depth)?)));
            read.collect::<Result<_, _>>().map(Value::Map)
        }
        (Type::Object(attributes), Json::Object(members)) => {
            let read = attributes.iter().map(|(name, kind)| {
                let json = members.get(name).unwrap_or(&Json::Null);
                Ok((name.clone(), read(json, kind, &path.clone().attribute(name), depth)?))
            });
            read.collect::<Result<_, _>>().map(Value::Map)
        }
        (Type::Dynamic, Json::Object(_)) => {
            let own = json.get("type").and_then(|kind| Type::from_json(kind).ok()).ok_or_else(refused)?;
            let inner = read(json.get("value").unwrap_or(&Json::Null), &own, path, depth)?;
            Ok(Value::Dynamic(own, Box::new(inner)))
        }
        _ => Err(refused()),
    }
}

fn found(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "this number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn state_is_read() {
        let note = Type::object([
            ("name", Type::String),
            ("weight", Type::Number),
            ("topics", Type::set(Type::String)),
        ]);
        let long = "0.010000000000000000000000000000000000000000000000000003";
        let text = format!(r#"{{"name":"x","weight":{long},"gone":1,"topics":["b","a"]}}"#);
        let read = Value::from_json(&serde_json::from_str(&text).unwrap(), &note).unwrap();
        assert_eq!(read.get("weight").as_number().unwrap().to_string(), long);
        assert_eq!(*read.get("topics"), Value::list(["a".into(), "b".into()]));
        assert_eq!(*read.get("gone"), Value::Null);

        let typed = json!({ "type": "bool", "value": true });
        let expected = Value::Dynamic(Type::Bool, Box::new(true.into()));
        assert_eq!(Value::from_json(&typed, &Type::Dynamic).unwrap(), expected);
    }

    #[test]
    fn other_shapes_are_named_by_path() {
        let kind = Type::object([("a", Type::list(Type::Bool)), ("b", Type::Number), ("c", Type::Dynamic)]);
        for (json, expected) in [
            (json!({ "a": [true, "x"] }), "`a[1]` must be bool, not a string"),
            (json!({ "b": "1" }), "`b` must be number, not a string"),
            (json!({ "c": { "value": 1 } }), "`c` must be any, not an object"),
            (json!([]), "`` must be object, not a list"),
        ] {
            assert_eq!(Value::from_json(&json, &kind).unwrap_err().to_string(), expected);
        }
    }
}
