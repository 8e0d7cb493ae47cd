//! What hostile input costs, counted: nothing for what it claims, and no more than estimated for what it holds.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{alloc::System, hint::black_box};

use cap::Cap;
use tfplugin_rs::{Number, Type, Value};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// One test alone in its program: the peak is that of the whole process.
#[test]
fn memory_is_in_proportion_to_what_is_there() {
    claims_cost_nothing();
    contents_cost_what_is_estimated();
}

fn claims_cost_nothing() {
    const LITTLE: usize = 64 << 10;
    let list = Type::list(Type::Bool);
    let nested = (0..60).fold(Type::Bool, |inner, _| Type::list(inner));
    let object = Type::object([("a", Type::list(Type::String))]);
    for (kind, bytes) in [
        (&Type::String, "dbffffffff".to_owned()),
        (&Type::Number, "dbffffffff".to_owned()),
        (&list, "ddffffffff".to_owned()),
        (&list, "ddffffffffc2c3".to_owned()),
        (&nested, "ddffffffff".repeat(60)),
        (&Type::map(Type::Bool), "dfffffffff".to_owned()),
        (&object, "dfffffffff".to_owned()),
        (&object, "81a161ddffffffff".to_owned()),
        (&Type::Dynamic, "92c6ffffffff".to_owned()),
        (&Type::String, "c9ffffffff0c".to_owned()),
        (&Type::String, "c7050cdfffffffff".to_owned()),
    ] {
        let bytes = hex::decode(bytes).unwrap();
        let peak = peak(|| assert!(Value::from_msgpack(&bytes, kind).is_err()));
        assert!(peak < LITTLE, "{peak} bytes for {bytes:x?}");
    }
    for text in
        ["1e999999999", "-1e999999999999", "1e-999999999", "1e9223372036854775807", "1e-9223372036854775808"]
    {
        let json = text.parse().unwrap();
        let peak = peak(|| {
            assert!(text.parse::<Number>().is_err());
            assert!(Value::from_json(&json, &Type::Number).is_err());
        });
        assert!(peak < LITTLE, "{peak} bytes for {text}");
    }
}

/// The decoder stops at 512 MiB by its own estimates of 256 bytes for a part and 1 KiB for a map.
fn contents_cost_what_is_estimated() {
    const COUNT: usize = 20_000;
    const PART: usize = 256;
    const MAP: usize = 1024;
    let wide: Vec<_> = (0..200).map(|index| (format!("a{index}"), Type::Bool)).collect();
    for (element, bytes, estimate) in [
        (Type::Bool, "c0", PART),
        (Type::String, "a0", PART),
        (Type::Number, "01", PART),
        (Type::Number, "cb0000000000000001", PART + 400),
        (Type::list(Type::Bool), "90", PART),
        (Type::list(Type::Bool), "91c0", 2 * PART),
        (Type::map(Type::Bool), "81a0c0", 2 * PART + MAP),
        (Type::Dynamic, "92c40622626f6f6c22c3", 2 * PART + 6 * 32),
        (Type::String, "c7030c8101c2", PART),
        // As JSON, too, in which absent attributes are null.
        (Type::object(wide), "", 201 * PART + MAP),
    ] {
        let list = Type::list(element);
        let peak = if bytes.is_empty() {
            let json = serde_json::Value::from(vec![serde_json::json!({}); COUNT / 100]);
            peak(|| _ = black_box(Value::from_json(&json, &list).unwrap())) * 100
        } else {
            let bytes = hex::decode(format!("dd{COUNT:08x}{}", bytes.repeat(COUNT))).unwrap();
            peak(|| _ = black_box(Value::from_msgpack(&bytes, &list).unwrap()))
        };
        assert!(peak <= COUNT * estimate, "{} bytes instead of {estimate} for {bytes}", peak / COUNT);
    }
}

/// How much more memory there was at one time than before.
fn peak(act: impl FnOnce()) -> usize {
    // Whatever was the peak before is made the level now, so that a new one shows.
    let level = MEMORY.max_allocated();
    let padding = vec![1_u8; level.saturating_sub(MEMORY.allocated())];
    black_box(&padding);
    let before = MEMORY.allocated();
    act();
    MEMORY.max_allocated().saturating_sub(before)
}
