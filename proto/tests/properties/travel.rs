//! Whatever the type: what is written is read again, and written alike.

use proptest::prelude::*;
use tfplugin_rs::{Type, Value};

use crate::generate::{self, Parts};

proptest! {
    #[test]
    fn msgpack_brings_back_what_was_written((kind, value) in generate::typed(Parts::Any)) {
        let bytes = value.to_msgpack(&kind).unwrap();
        let read = Value::from_msgpack(&bytes, &kind).unwrap();
        prop_assert_eq!(&read, &value);
        // What is known of unknown values takes no part in the comparison, but is in the bytes.
        prop_assert_eq!(read.to_msgpack(&kind).unwrap(), bytes);
    }

    #[test]
    fn json_brings_back_what_was_written((kind, value) in generate::typed(Parts::Known)) {
        let text = value.to_json(&kind).unwrap();
        let read = Value::from_json(&text.parse().unwrap(), &kind).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(read.to_json(&kind).unwrap(), text);
        prop_assert_eq!(read.to_msgpack(&kind).unwrap(), value.to_msgpack(&kind).unwrap());
    }

    #[test]
    fn types_come_back(kind in generate::kind()) {
        let text = kind.to_json().to_string();
        prop_assert_eq!(Type::from_json(&text.parse().unwrap()).unwrap(), kind);
    }

    #[test]
    fn what_has_its_form_keeps_it((kind, value) in generate::typed(Parts::Any)) {
        prop_assert_eq!(value.clone().conform(&kind).unwrap(), value);
    }

    /// Order and repetition make no difference to a set, at any depth.
    #[test]
    fn permuted_sets_are_equal((kind, elements, shuffled) in set()) {
        let set = Value::List(elements).conform(&kind).unwrap();
        let other = Value::List(shuffled).conform(&kind).unwrap();
        prop_assert_eq!(other.to_msgpack(&kind).unwrap(), set.to_msgpack(&kind).unwrap());
        prop_assert_eq!(other, set);
    }

    #[test]
    fn numbers_come_back(number in generate::number(Parts::Known)) {
        prop_assert_eq!(&number.to_string().parse::<tfplugin_rs::Number>().unwrap(), &number);
    }
}

/// The elements of a set, and the same again in another order with some repeated.
fn set() -> impl Strategy<Value = (Type, Vec<Value>, Vec<Value>)> {
    let elements = |element: Type| {
        let value = generate::value(&element, Parts::Known);
        (Just(Type::set(element)), prop::collection::vec(value, 0..5))
    };
    generate::kind().prop_flat_map(elements).prop_flat_map(|(kind, elements)| {
        let again = elements.iter().chain(elements.iter().take(2)).cloned().collect::<Vec<_>>();
        (Just(kind), Just(elements), Just(again).prop_shuffle())
    })
}
