//! Types, and values of a type.

use std::ops::Bound;

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use tfplugin_rs::{Number, Refinement, Type, Value};

/// Whether a value may have parts that are not known, and numbers without end: there is no JSON for these.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    Known,
    Any,
}

pub(crate) fn kind() -> impl Strategy<Value = Type> {
    nested(prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String), Just(Type::Dynamic)])
}

/// A type of which every part is settled.
pub(crate) fn settled_kind() -> impl Strategy<Value = Type> {
    nested(prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)])
}

fn nested(leaf: impl Strategy<Value = Type> + 'static) -> impl Strategy<Value = Type> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            vec(inner.clone(), 0..4).prop_map(Type::Tuple),
            btree_map(text(), inner, 0..4).prop_map(|attributes| {
                // Names are normalized where they come from.
                Type::object(attributes.into_iter().filter(|(name, _)| name.is_ascii()))
            }),
        ]
    })
}

/// A type and a value of it, in the form the type demands.
pub(crate) fn typed(parts: Parts) -> impl Strategy<Value = (Type, Value)> {
    kind().prop_flat_map(move |kind| {
        value(&kind, parts).prop_map(move |value| {
            let value = value.conform(&kind).expect("values are made for their type");
            (kind.clone(), value)
        })
    })
}

pub(crate) fn value(kind: &Type, parts: Parts) -> BoxedStrategy<Value> {
    let of = |kind: &Type| value(kind, parts);
    let there = match kind {
        Type::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Type::Number => number(parts).prop_map(Value::from).boxed(),
        Type::String => text().prop_map(Value::from).boxed(),
        Type::List(element) | Type::Set(element) => vec(of(element), 0..4).prop_map(Value::List).boxed(),
        Type::Map(element) => btree_map(text(), of(element), 0..4).prop_map(Value::Map).boxed(),
        Type::Tuple(kinds) => kinds.iter().map(of).collect::<Vec<_>>().prop_map(Value::List).boxed(),
        Type::Object(attributes) => {
            let members: Vec<_> =
                attributes.iter().map(|(name, kind)| (Just(name.clone()), of(kind))).collect();
            members.prop_map(Value::object).boxed()
        }
        Type::Optional(attribute) => of(attribute),
        Type::Dynamic => settled_kind()
            .prop_flat_map(move |own| value(&own, parts).prop_map(move |value| (own.clone(), value)))
            .prop_map(|(own, value)| Value::Dynamic(own, Box::new(value)))
            .boxed(),
    };
    match parts {
        Parts::Known => prop_oneof![8 => there, 1 => Just(Value::Null)].boxed(),
        Parts::Any => prop_oneof![8 => there, 1 => Just(Value::Null), 1 => unknown(kind)].boxed(),
    }
}

fn unknown(kind: &Type) -> BoxedStrategy<Value> {
    let plain = prop_oneof![Just(Value::Unknown), Just(Refinement::not_null().into())];
    match kind {
        Type::String => prop_oneof![plain, text().prop_map(|text| Refinement::prefix(text).into())].boxed(),
        Type::Number => {
            let bounds = (bound(), bound());
            prop_oneof![plain, bounds.prop_map(|bounds| Refinement::number::<Number>(bounds).into())].boxed()
        }
        Type::List(_) | Type::Set(_) | Type::Map(_) => {
            let lengths = (any::<u64>(), any::<u64>());
            prop_oneof![plain, lengths.prop_map(|(least, most)| Refinement::length(least..most).into())]
                .boxed()
        }
        _ => plain.boxed(),
    }
}

fn bound() -> impl Strategy<Value = Bound<Number>> {
    let number = || number(Parts::Known);
    prop_oneof![
        Just(Bound::Unbounded),
        number().prop_map(Bound::Included),
        number().prop_map(Bound::Excluded)
    ]
}

pub(crate) fn number(parts: Parts) -> BoxedStrategy<Number> {
    let finite = prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        any::<f64>().prop_map(|float| Number::exact(float).expect("not NaN")),
        "-?[0-9]{1,60}(\\.[0-9]{1,160})?(e-?[0-9]{1,3})?".prop_map(|text| text.parse().expect("a number")),
    ];
    let infinite = prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY)]
        .prop_map(|float| Number::exact(float).expect("not NaN"));
    match parts {
        Parts::Known => finite.boxed(),
        Parts::Any => prop_oneof![9 => finite, 1 => infinite].boxed(),
    }
}

/// Any text, and some that normalizing changes.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![any::<char>(), Just('e'), Just('\u{301}'), prop::char::range('a', 'z')];
    prop_oneof!["[a-c]{0,2}", vec(character, 0..6).prop_map(String::from_iter)]
}
