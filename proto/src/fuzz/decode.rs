//! Values, types and private data out of arbitrary bytes.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use crate::{Private, Type, Value, json};

/// Types whose values between them have every form.
static KINDS: LazyLock<Vec<Type>> = LazyLock::new(|| {
    let kinds = [
        json!("dynamic"),
        json!("bool"),
        json!("number"),
        json!("string"),
        json!(["list", "number"]),
        json!(["set", ["object", { "a": "string", "b": ["set", "number"] }]]),
        json!(["map", "dynamic"]),
        json!(["tuple", ["bool", "dynamic", ["list", "string"]]]),
        json!(["object", { "d": "dynamic", "n": "number", "o": ["object", { "s": "string" }, ["s"]] }, ["n"]]),
    ];
    kinds.iter().map(|kind| Type::from_json(kind).expect("written by hand")).collect()
});

/// The first byte chooses a type, the others are to be a value of it, or something else that is decoded.
///
/// # Panics
/// If something that can be decoded does not come back when it is encoded.
pub fn decode(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let kind = &KINDS[usize::from(*choice) % KINDS.len()];
    if let Ok(value) = Value::from_msgpack(bytes, kind) {
        comes_back(&value, kind);
    }
    if let Ok(json) = json::parse(bytes) {
        from_json(&json, kind);
    }
    if let Ok(private) = Private::decode(bytes) {
        assert_eq!(Private::decode(&private.encode()).expect("we wrote it"), private);
    }
}

fn from_json(json: &Json, kind: &Type) {
    if let Ok(value) = Value::from_json(json, kind) {
        comes_back(&value, kind);
    }
    if let Ok(kind) = Type::from_json(json) {
        assert_eq!(Type::from_json(&kind.to_json()).expect("we wrote it"), kind);
    }
}

fn comes_back(value: &Value, kind: &Type) {
    let bytes = value.to_msgpack(kind).expect("it was read as this type");
    let again = Value::from_msgpack(&bytes, kind).expect("we wrote it");
    assert_eq!(again, *value);
    assert_eq!(again.to_msgpack(kind).expect("the same"), bytes);
    if let Ok(text) = value.to_json(kind) {
        let json = json::parse(text.as_bytes()).expect("we wrote it");
        assert_eq!(Value::from_json(&json, kind).expect("we wrote it"), *value);
    }
}
