use super::*;

fn decode(hexed: &str, kind: &Type) -> Result<Value, DecodeError> {
    Value::from_msgpack(&hex::decode(hexed).unwrap(), kind)
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn dynamic(kind: Type, value: impl Into<Value>) -> Value {
    Value::Dynamic(kind, Box::new(value.into()))
}

fn kind(json: &str) -> Type {
    Type::from_json(&json.parse().unwrap()).unwrap()
}

#[test]
fn other_spellings_are_read() {
    for (kind, bytes, expected) in [
        (Type::Number, "d0ff", number("-1")),
        (Type::Number, "d3ffffffffffffffff", number("-1")),
        (Type::Number, "cf0000000000000001", number("1")),
        (Type::Number, "ca3fc00000", number("1.5")),
        (Type::Number, "cfffffffffffffffff", number("18446744073709551615")),
        (Type::Number, "a4312e3530", number("1.5")),
        (Type::Number, "a3316533", number("1000")),
        (Type::String, "d90178", "x".into()),
        (Type::String, "db0000000178", "x".into()),
        // Decomposed text is composed, keys too.
        (Type::String, "a365cc81", "é".into()),
        (Type::map(Type::Bool), "81a365cc81c3", Value::object([("é", true.into())])),
        (Type::list(Type::Bool), "dd00000001c3", Value::list([true.into()])),
        (Type::map(Type::Bool), "df00000001a161c3", Value::object([("a", true.into())])),
        // Every extension is an unknown value: of a newer kind, without content, with a newer description.
        (Type::String, "c70300010203", Value::Unknown),
        (Type::String, "c7000c", Value::Unknown),
        (Type::String, "d4ff00", Value::Unknown),
        (Type::Bool, "c7030c8163c3", Value::Unknown),
        // A dynamic place has no type that something could be known by.
        (Type::Dynamic, "c7030c8101c2", Value::Unknown),
        // Known to be null.
        (Type::String, "c7030c8101c3", Value::Null),
        // A type that is open, again.
        (Type::Dynamic, "92c4092264796e616d696322c0", Value::Null),
        (Type::Dynamic, "92c4092264796e616d69632292c40622626f6f6c22c3", dynamic(Type::Bool, true)),
        // Sets come in any order, and again.
        (Type::set(Type::String), "93a162a161a162", Value::list(["a".into(), "b".into()])),
        (Type::set(Type::Number), "9301cb3ff0000000000000a131", Value::list([number("1")])),
        // Two unknown elements may turn out to differ.
        (Type::set(Type::String), "92d40000d40000", Value::list([Value::Unknown, Value::Unknown])),
        (kind(r#"["object",{"a":"string"},["a"]]"#), "81a161c0", Value::object([("a", Value::Null)])),
    ] {
        assert_eq!(decode(bytes, &kind).unwrap(), expected, "{bytes}");
    }
}

#[test]
fn broken_bytes_are_refused() {
    for (kind, bytes, expected) in [
        (Type::String, "", "``: the end came early"),
        (Type::String, "a2", "``: the end came early"),
        (Type::String, "dbffffffff", "``: the end came early"),
        (Type::String, "a1ff", "``: a string that is not UTF-8"),
        (Type::String, "c0c0", "``: bytes after the end"),
        (Type::String, "01", "``: a string was expected"),
        (Type::Bool, "c1", "``: a bool was expected"),
        (Type::Number, "a178", "``: a number was expected"),
        (Type::Number, "cb7ff8000000000000", "``: a number was expected"),
        (Type::Number, "ab3165393939393939393939", "``: a number was expected"),
        (Type::list(Type::Bool), "ddffffffff", "`[0]`: the end came early"),
        (Type::map(Type::Bool), "dfffffffff", "``: a string was expected"),
        (Type::map(Type::Bool), "81a16b01", "`[\"k\"]`: a bool was expected"),
        (Type::map(Type::Bool), "82a16bc3a16bc3", "``: the same key again"),
        (kind(r#"["object",{}]"#), "81a161c0", "`a`: an unexpected attribute"),
        (kind(r#"["object",{"a":"string"}]"#), "80", "`a`: an attribute that is missing"),
        (kind(r#"["object",{"a":["list","bool"]}]"#), "81a16192c301", "`a[1]`: a bool was expected"),
        (kind(r#"["tuple",["bool"]]"#), "90", "``: a tuple of another length"),
        (Type::Dynamic, "92c40178c0", "``: a broken type"),
        (Type::Dynamic, "93c0c0c0", "``: a type and a value were expected"),
        (Type::Dynamic, "92c6ffffffff", "``: the end came early"),
        (Type::String, "c9ffffffff0c", "``: the end came early"),
        (Type::String, "c7020c8101", "``: a broken description of an unknown value"),
        (Type::String, "c7030cdfffff", "``: a broken description of an unknown value"),
        (Type::String, "c7030c8102a9", "``: a broken description of an unknown value"),
        (Type::Number, "c7030c810391", "``: a broken description of an unknown value"),
    ] {
        let error = decode(bytes, &kind).unwrap_err();
        let expected = expected.split_once(": ").unwrap();
        assert_eq!((format!("`{}`", error.path).as_str(), error.problem), expected, "{bytes}");
    }
    let error = decode(&format!("c804010c{}", "00".repeat(1025)), &Type::String).unwrap_err();
    assert_eq!(error.problem, "too long a description of an unknown value");
    let error = decode("9101", &Type::list(Type::Bool)).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `[0]` from msgpack: a bool was expected");
}

#[test]
fn depth_and_memory_have_bounds() {
    let nested = (0..70).fold(Type::String, |inner, _| Type::list(inner));
    let deep = "91".repeat(100_000) + "c0";
    assert_eq!(decode(&deep, &nested).unwrap_err().problem, "nested too deep");
    let wrapped = "92c4092264796e616d696322".repeat(100) + "c0";
    assert_eq!(decode(&wrapped, &Type::Dynamic).unwrap_err().problem, "nested too deep");

    for (kind, bytes) in [
        (Type::list(Type::Bool), "dc0010".to_owned() + &"c0".repeat(16)),
        (Type::list(Type::map(Type::Bool)), "94".to_owned() + &"81a0c0".repeat(4)),
        (Type::list(Type::Number), "9c".to_owned() + &"cb0000000000000001".repeat(12)),
        (Type::String, "da1000".to_owned() + &"61".repeat(4096)),
        (Type::Dynamic, format!("92c4fa{}c0", hex::encode(format!("{:250}", "[]")))),
    ] {
        let error = read(&hex::decode(&bytes).unwrap(), &kind, Room::of(4096)).unwrap_err();
        assert_eq!(error.problem, "takes more memory than a value may", "{bytes}");
    }
}

/// A promise about a value that is longer than Terraform reads is told as far as it may be.
#[test]
fn long_promises_are_cut() {
    let refinement = crate::Refinement::prefix("0123456789".repeat(200));
    let bytes = Value::from(refinement).to_msgpack(&Type::String).unwrap();
    assert_eq!(bytes.len(), 4 + 1 + 2 + 1 + 3 + 256);
    let bound = |digits: usize| format!("0.{}1", "0".repeat(digits)).parse::<crate::Number>().unwrap();
    let bytes =
        Value::from(crate::Refinement::number(bound(900)..bound(253))).to_msgpack(&Type::Number).unwrap();
    assert_eq!(bytes.len(), 4 + 1 + 2 + 1 + 1 + 3 + 256 + 1);
}
