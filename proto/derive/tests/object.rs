//! What the macro makes of structs, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::{BTreeMap, BTreeSet};

use tfplugin_rs::{
    Field, FromValue, GoDuration, Mode, Number, Object, Rule, Schema, Sensitive, Type, Validator, Value,
};

/// A bit of everything.
///
/// In two paragraphs.
#[derive(Debug, Clone, PartialEq, Object)]
#[object(rule = Rule::conflicts(["ratio", "names"]))]
struct Thing {
    /// What kind.
    #[object(rename = "type", default = "plain", validate = Validator::one_of(["plain", "odd"]))]
    kind: String,
    #[object(requires_replace)]
    port: u16,
    ratio: Option<Number>,
    names: Option<BTreeSet<String>>,
    sizes: Option<Vec<u8>>,
    wait: Option<GoDuration>,
    r#where: Option<Place>,
    places: Option<BTreeMap<String, Place>>,
    key: Option<Sensitive<String>>,
    #[object(block, max_items(2))]
    part: Vec<Place>,
    any: Option<Value>,
    #[object(optional_computed, keeps_prior)]
    zone: Field<String>,
    #[object(depends_on(["port"]))]
    url: Field<String>,
}

/// Where something is.
#[derive(Debug, Clone, PartialEq, Object)]
struct Place {
    /// How far along.
    #[object(validate(Validator::range(0_i64..)))]
    at: i64,
    seen: Field<bool>,
}

fn place(at: i64) -> Value {
    Value::object([("at", Value::from(at)), ("seen", Value::Unknown)])
}

fn thing() -> Value {
    let plain = Value::object([("type", "odd".into()), ("port", 80_u16.into())]);
    let thing = plain
        .with("names", vec!["a", "b"])
        .with("sizes", vec![1_u8])
        .with("wait", "60m")
        .with("where", place(1))
        .with("places", Value::object([("k", place(2))]))
        .with("key", "s3cret")
        .with("part", vec![place(3)])
        .with("url", Value::Unknown);
    Schema::of::<Thing>().complete(thing).unwrap()
}

#[test]
fn there_and_back() {
    let value = thing();
    let read: Thing = value.view().read().unwrap();
    assert_eq!((read.kind.as_str(), read.port, read.part[0].at), ("odd", 80, 3));
    assert_eq!((&read.zone, &read.url), (&Field::Null, &Field::Unknown));
    assert!(!format!("{read:?}").contains("s3cret"));
    assert_eq!(Value::from(read), value);
}

#[test]
fn the_schema_says_what_the_struct_says() {
    let schema = Schema::of::<Thing>();
    assert_eq!(schema.check(), []);
    let mode = |name: &str| schema.attribute_at(&name.into()).map(tfplugin_rs::Attribute::mode);
    for (name, expected) in [
        ("type", Some(Mode::OptionalComputed)),
        ("port", Some(Mode::Required)),
        ("ratio", Some(Mode::Optional)),
        ("zone", Some(Mode::OptionalComputed)),
        ("url", Some(Mode::Computed)),
        ("part", None),
    ] {
        assert_eq!(mode(name), expected, "{name}");
    }
    assert!(schema.attribute_at(&"key".into()).unwrap().is_sensitive());
    assert_eq!(schema.attribute_at(&"type".into()).unwrap().description(), "What kind.");
    assert_eq!(Thing::block().blocks()[0].name(), "part");
    let Type::Object(types) = schema.implied_type() else { panic!("an object") };
    assert_eq!(types["names"], Type::set(Type::String));
    assert_eq!(types["sizes"], Type::list(Type::Number));
    assert_eq!(types["any"], Type::Dynamic);
    assert_eq!(types["part"].to_string(), "list(object)");
}

#[test]
fn values_are_checked_for_what_fields_can_hold() {
    let found = |name: &str, value: Value| {
        let faults = Schema::of::<Thing>().validate(&thing().with(name, value));
        faults.iter().map(|fault| fault.detail.clone()).collect::<Vec<_>>().join("\n")
    };
    for (name, value, expected) in [
        ("type", "plain".into(), ""),
        ("type", "other".into(), "`type` must be one of \"plain\", \"odd\"."),
        ("port", 65536_u32.into(), "`port` must be a whole number from 0 to 65535."),
        ("sizes", vec![1_u32, 256].into(), "`sizes[1]` must be a whole number from 0 to 255."),
        ("part", vec![place(-1)].into(), "`part[0].at` must be a number of at least 0."),
        ("wait", "soon".into(), "`wait` must be a duration with units, such as \"30m\" or \"1h30m\"."),
        (
            "ratio",
            1_u8.into(),
            "`names` cannot be set together with `ratio`; set at most one of `ratio`, `names`.",
        ),
    ] {
        assert_eq!(found(name, value), expected, "{name}");
    }
}

#[test]
fn errors_say_where() {
    let failed = |value: Value| Thing::from_value(&value.view()).unwrap_err().to_string();
    let wrong = |name: &str, value: Value| failed(thing().with(name, value));
    assert_eq!(wrong("type", Value::Null), "`type` must be a string, not null");
    assert_eq!(
        wrong("port", Value::Unknown),
        format!("`port` must be {PORT}, not a value known only after apply")
    );
    assert_eq!(wrong("port", (-1_i64).into()), format!("`port` must be {PORT}, not this number"));
    let without = Value::object([("seen", true.into())]);
    assert_eq!(
        wrong("part", vec![place(1), without.clone()].into()),
        "`part[1].at` must be a whole number, not null"
    );
    let places = Value::object([("k", without)]);
    assert_eq!(wrong("places", places), "`places[\"k\"].at` must be a whole number, not null");
    assert_eq!(wrong("where", "here".into()), "`where` must be an object, not this string");
}

const PORT: &str = "a whole number from 0 to 65535";
