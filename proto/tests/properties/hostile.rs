//! Whatever comes over the wire: an error or a value, never a panic.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::Value as Json;
use tfplugin_rs::{Type, Value};

use crate::generate::{self, Parts};

proptest! {
    #[test]
    fn any_bytes_are_survived(kind in generate::kind(), bytes in vec(any::<u8>(), 0..64)) {
        survives(&bytes, &kind)?;
    }

    /// Sound values with a few bytes changed, and cut off, get further in than noise does.
    #[test]
    fn damage_is_survived(
        (kind, value) in generate::typed(Parts::Any),
        changes in vec((any::<Index>(), any::<u8>()), 0..4),
        end in any::<Index>(),
    ) {
        let mut bytes = value.to_msgpack(&kind).unwrap();
        for (position, byte) in changes {
            let position = position.index(bytes.len());
            bytes[position] = byte;
        }
        survives(&bytes, &kind)?;
        survives(&bytes[..end.index(bytes.len())], &kind)?;
    }

    /// A value of one type where another is expected.
    #[test]
    fn other_types_are_survived((_, value) in generate::typed(Parts::Any), kind in generate::kind()) {
        if let Ok(value) = value.conform(&kind) {
            survives(&value.to_msgpack(&kind).unwrap(), &kind)?;
        }
    }

    #[test]
    fn any_json_is_survived(kind in generate::kind(), json in json()) {
        let _no_panic = Type::from_json(&json);
        if let Ok(value) = Value::from_json(&json, &kind) {
            let text = value.to_json(&kind).unwrap();
            prop_assert_eq!(Value::from_json(&text.parse().unwrap(), &kind).unwrap(), value);
        }
    }
}

/// What can be read is written in one way only.
fn survives(bytes: &[u8], kind: &Type) -> Result<(), TestCaseError> {
    let Ok(value) = Value::from_msgpack(bytes, kind) else { return Ok(()) };
    let written = value.to_msgpack(kind).unwrap();
    let read = Value::from_msgpack(&written, kind).unwrap();
    prop_assert_eq!(read.to_msgpack(kind).unwrap(), written);
    prop_assert_eq!(read, value);
    Ok(())
}

fn json() -> impl Strategy<Value = Json> {
    let name =
        || prop_oneof![3 => generate::text(), 1 => Just("type".to_owned()), 1 => Just("value".to_owned())];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        name().prop_map(Json::from),
        generate::settled_kind().prop_map(|kind| kind.to_json()),
    ];
    leaf.prop_recursive(5, 32, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Json::from),
            vec((name(), inner), 0..5).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}
