//! Every form a value takes on the wire, as go-cty 1.18 writes it: read, written, and compared to the byte.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tfplugin_rs::{Number, Refinement, Type, Value};

const PI: &str = "3.14159265358979323846264338327950288419716939937510582097494459";

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn float(exact: f64) -> Value {
    Value::Number(Number::exact(exact).unwrap())
}

fn dynamic(kind: Type, value: impl Into<Value>) -> Value {
    Value::Dynamic(kind, Box::new(value.into()))
}

fn strings(elements: [&str; 2]) -> Value {
    Value::list(elements.map(Value::from))
}

/// Checks both encodings; `-` is "has no JSON".
#[track_caller]
fn check(kind: &str, value: &Value, msgpack: &str, json: &str) {
    let kind = Type::from_json(&kind.parse().unwrap()).unwrap();
    assert_eq!(hex::encode(value.to_msgpack(&kind).unwrap()), msgpack, "{value:?}");
    let read = Value::from_msgpack(&hex::decode(msgpack).unwrap(), &kind).unwrap();
    assert_eq!((&read, read.refinement()), (value, value.refinement()), "{msgpack}");
    if json == "-" {
        assert!(value.to_json(&kind).is_err(), "{value:?}");
    } else {
        assert_eq!(value.to_json(&kind).unwrap(), json);
        assert_eq!(Value::from_json(&json.parse().unwrap(), &kind).unwrap(), *value, "{json}");
    }
}

#[test]
fn null_and_primitives() {
    for (kind, value, msgpack, json) in [
        (r#""string""#, Value::Null, "c0", "null"),
        (r#""bool""#, true.into(), "c3", "true"),
        (r#""bool""#, false.into(), "c2", "false"),
        (r#""string""#, "".into(), "a0", r#""""#),
        (r#""string""#, "é".into(), "a2c3a9", r#""é""#),
        (
            r#""string""#,
            "<a & \"b\">\u{2028}\n\u{8}\u{1}\u{7f}".into(),
            "b03c612026202262223ee280a80a08017f",
            "\"\\u003ca \\u0026 \\\"b\\\"\\u003e\\u2028\\n\\b\\u0001\u{7f}\"",
        ),
        (
            r#""string""#,
            "01234567890123456789012345678901".into(),
            "d9203031323334353637383930313233343536373839303132333435363738393031",
            r#""01234567890123456789012345678901""#,
        ),
    ] {
        check(kind, &value, msgpack, json);
    }
}

#[test]
fn numbers() {
    for (text, msgpack) in [
        ("0", "00"),
        ("36", "24"),
        ("127", "7f"),
        ("128", "cc80"),
        ("255", "ccff"),
        ("256", "cd0100"),
        ("65535", "cdffff"),
        ("65536", "ce00010000"),
        ("4294967295", "ceffffffff"),
        ("4294967296", "cf0000000100000000"),
        ("9223372036854775807", "cf7fffffffffffffff"),
        ("9223372036854775808", "b339323233333732303336383534373735383038"),
        ("-1", "ff"),
        ("-32", "e0"),
        ("-33", "d0df"),
        ("-128", "d080"),
        ("-129", "d1ff7f"),
        ("-32768", "d18000"),
        ("-32769", "d2ffff7fff"),
        ("-2147483648", "d280000000"),
        ("-2147483649", "d3ffffffff7fffffff"),
        ("-9223372036854775808", "d38000000000000000"),
        ("-9223372036854775809", "b42d39323233333732303336383534373735383039"),
        ("1.5", "cb3ff8000000000000"),
        ("-0.25", "cbbfd0000000000000"),
        ("0.1", "a3302e31"),
        ("1000000000000000000000", "b631303030303030303030303030303030303030303030"),
        (PI, &format!("d940{}", hex::encode(PI))),
    ] {
        check(r#""number""#, &number(text), msgpack, text);
    }
    // 1 - 0.99 and 100 / 3 in Terraform's 512 bits.
    let less = format!("0.01{}3", "0".repeat(153));
    let third = "33.".to_owned() + &"3".repeat(152);
    for text in [less, third] {
        let length = text.len();
        check(r#""number""#, &number(&text), &format!("d9{length:02x}{}", hex::encode(&text)), &text);
    }
}

#[test]
fn floats() {
    let kind = Type::Number;
    for (value, msgpack) in [
        (float(0.1), "cb3fb999999999999a"),
        (float(5e-324), "cb0000000000000001"),
        (float(f64::INFINITY), "cb7ff0000000000000"),
        (float(f64::NEG_INFINITY), "cbfff0000000000000"),
    ] {
        assert_eq!(hex::encode(value.to_msgpack(&kind).unwrap()), msgpack);
        assert_eq!(Value::from_msgpack(&hex::decode(msgpack).unwrap(), &kind).unwrap(), value);
    }
    assert!(float(f64::INFINITY).to_json(&kind).is_err());
}

#[test]
fn unknown_values() {
    for (kind, value, msgpack) in [
        (r#""string""#, Value::Unknown, "d40000"),
        (r#""string""#, Refinement::not_null().into(), "c7030c8101c2"),
        (r#""string""#, Refinement::prefix("pre-").into(), "c7090c8201c202a47072652d"),
        (r#""number""#, Refinement::number(1_i64..).into(), "c7070c8201c2039201c3"),
        (r#""number""#, Refinement::not_null().into(), "c7030c8101c2"),
        (
            r#""number""#,
            Refinement::number((
                std::ops::Bound::Excluded("0.1".parse::<Number>().unwrap()),
                std::ops::Bound::Included("1.5".parse::<Number>().unwrap()),
            ))
            .into(),
            "c7160c8301c20392a3302e31c20492cb3ff8000000000000c3",
        ),
        (r#"["list","number"]"#, Refinement::length(1..=300).into(), "c7090c8301c2050106cd012c"),
        (r#"["map","string"]"#, Refinement::length(..=3).into(), "c7050c8201c20603"),
        (r#"["set","string"]"#, Refinement::length(2..).into(), "c7050c8201c20502"),
        (r#"["object",{"a":"string"}]"#, Refinement::not_null().into(), "c7030c8101c2"),
    ] {
        check(kind, &value, msgpack, "-");
    }
    // What may be null all the same is read and handed on, but not promised by providers.
    for (kind, msgpack) in [(Type::String, "c7070c8102a47072652d"), (Type::Number, "c7050c810492ffc2")] {
        let read = Value::from_msgpack(&hex::decode(msgpack).unwrap(), &kind).unwrap();
        assert!(read.refinement().unwrap().may_be_null());
        assert_eq!(hex::encode(read.to_msgpack(&kind).unwrap()), msgpack);
    }
}

#[test]
fn collections() {
    let named = |a: &str, n: Value| Value::object([("a", a.into()), ("n", n)]);
    for (kind, value, msgpack, json) in [
        (r#"["set","string"]"#, strings(["a", "b"]), "92a161a162", r#"["a","b"]"#),
        (
            r#"["set","number"]"#,
            Value::list(["-1", "1.5", "9", "10"].map(number)),
            "94ffcb3ff8000000000000090a",
            "[-1,1.5,9,10]",
        ),
        (
            r#"["set",["object",{"a":"string","n":"number"}]]"#,
            Value::list([named("x", Value::Null), named("y", number("1"))]),
            "9282a161a178a16ec082a161a179a16e01",
            r#"[{"a":"x","n":null},{"a":"y","n":1}]"#,
        ),
        (
            r#"["map","number"]"#,
            Value::object([("", number("2")), ("Z", number("3")), ("é", number("1"))]),
            "83a002a15a03a2c3a901",
            r#"{"":2,"Z":3,"é":1}"#,
        ),
        (r#"["map","number"]"#, Value::Map([].into()), "80", "{}"),
        (r#"["tuple",[]]"#, Value::list([]), "90", "[]"),
        (r#"["object",{}]"#, Value::Map([].into()), "80", "{}"),
        (r#"["list","bool"]"#, Value::list([true.into(), Value::Unknown]), "92c3d40000", "-"),
    ] {
        check(kind, &value, msgpack, json);
    }
}

/// The schema's type says where a value brings its own, not what the value happens to be.
#[test]
fn dynamic_places() {
    let object = Type::object([("a", Type::String), ("b", Type::list(Type::Bool))]);
    let tuple = Type::Tuple(vec![Type::Number, Type::Dynamic, Type::Dynamic, Type::Bool]);
    for (kind, value, msgpack, json) in [
        (r#""dynamic""#, Value::Null, "c0", "null"),
        (r#""dynamic""#, Value::Unknown, "d40000", "-"),
        (
            r#""dynamic""#,
            dynamic(Type::String, "x"),
            "92c40822737472696e6722a178",
            r#"{"value":"x","type":"string"}"#,
        ),
        (
            r#""dynamic""#,
            dynamic(Type::String, Value::Null),
            "92c40822737472696e6722c0",
            r#"{"value":null,"type":"string"}"#,
        ),
        (
            r#""dynamic""#,
            dynamic(Type::String, Refinement::not_null()),
            "92c40822737472696e6722c7030c8101c2",
            "-",
        ),
        (
            r#""dynamic""#,
            dynamic(tuple, Value::list([number("1"), Value::Null, Value::Unknown, true.into()])),
            "92c42f5b227475706c65222c5b226e756d626572222c2264796e616d6963222c2264796e616d6963222c22626f6f6c225d5d9401c0d40000c3",
            "-",
        ),
        (
            r#""dynamic""#,
            dynamic(object, Value::object([("a", "x".into()), ("b", Value::list([true.into()]))])),
            "92c42d5b226f626a656374222c7b2261223a22737472696e67222c2262223a5b226c697374222c22626f6f6c225d7d5d82a161a178a16291c3",
            r#"{"value":{"a":"x","b":[true]},"type":["object",{"a":"string","b":["list","bool"]}]}"#,
        ),
        (
            r#"["object",{"d":"dynamic","s":"string"}]"#,
            Value::object([("d", dynamic(Type::Number, number("1.5"))), ("s", Value::Null)]),
            "82a16492c408226e756d62657222cb3ff8000000000000a173c0",
            r#"{"d":{"value":1.5,"type":"number"},"s":null}"#,
        ),
        (
            r#"["map","dynamic"]"#,
            Value::object([("a", dynamic(Type::String, "y")), ("k", dynamic(Type::String, "x"))]),
            "82a16192c40822737472696e6722a179a16b92c40822737472696e6722a178",
            r#"{"a":{"value":"y","type":"string"},"k":{"value":"x","type":"string"}}"#,
        ),
        (
            r#"["list","dynamic"]"#,
            Value::list([dynamic(Type::Bool, true), dynamic(Type::Bool, Value::Unknown)]),
            "9292c40622626f6f6c22c392c40622626f6f6c22d40000",
            "-",
        ),
        (
            r#"["tuple",["dynamic","string"]]"#,
            Value::list([dynamic(Type::list(Type::String), Value::list([])), "".into()]),
            "9292c4115b226c697374222c22737472696e67225d90a0",
            r#"[{"value":[],"type":["list","string"]},""]"#,
        ),
    ] {
        check(kind, &value, msgpack, json);
    }
}
