use serde_json::json;

use super::*;

#[test]
fn state_is_read() {
    let note =
        Type::object([("name", Type::String), ("weight", Type::Number), ("topics", Type::set(Type::String))]);
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
