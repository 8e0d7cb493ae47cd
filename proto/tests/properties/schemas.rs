//! Schemas that Terraform would load, and configurations for them.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::subsequence,
};
use tfplugin_rs::{Attribute, Block, Mode, NestedBlock, Nesting, Schema, Shape, Type, Value};

use crate::generate::{self, Parts};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const BLOCKS: [&str; 3] = ["x", "y", "z"];

pub(crate) fn schema() -> impl Strategy<Value = Schema> {
    let blocks = subsequence(BLOCKS.to_vec(), 0..=3)
        .prop_flat_map(|names| names.into_iter().map(block).collect::<Vec<_>>());
    let schema = (attributes(Place::Top), blocks).prop_map(|(attributes, blocks)| {
        let schema = attributes.into_iter().fold(Schema::new(), Schema::attribute);
        blocks.into_iter().fold(schema, Schema::block)
    });
    schema.prop_filter("Terraform refuses it", |schema| schema.check().is_empty())
}

fn block(name: &'static str) -> impl Strategy<Value = NestedBlock> {
    let attributes = |nesting| attributes(if nesting == 4 { Place::Set } else { Place::Inner });
    (0..5).prop_flat_map(move |nesting| (attributes(nesting), Just(nesting))).prop_map(
        move |(attributes, nesting)| {
            let block = attributes.into_iter().fold(Block::new(), Block::attribute);
            match nesting {
                0 => NestedBlock::single(name, block),
                1 => NestedBlock::group(name, block),
                2 => NestedBlock::list(name, block),
                3 => NestedBlock::map(name, block),
                _ => NestedBlock::set(name, block),
            }
        },
    )
}

/// Where attributes are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Inner,
    /// Elements of a set are told apart by what is configured. Where that may be left to the provider, nobody
    /// can say which element before is which now, Terraform neither.
    Set,
}

fn attributes(place: Place) -> impl Strategy<Value = Vec<Attribute>> {
    subsequence(NAMES.to_vec(), 1..=4).prop_flat_map(move |names| {
        names.iter().map(|name| attribute(name, names.clone(), place)).collect::<Vec<_>>()
    })
}

/// How an attribute behaves, as far as its kind lets it.
#[derive(Clone, Debug)]
enum Behaviour {
    Plain,
    Replaces,
    WriteOnly,
    KeepsPrior,
    DependsOn(Vec<&'static str>),
}

fn attribute(name: &'static str, siblings: Vec<&'static str>, place: Place) -> BoxedStrategy<Attribute> {
    let others = subsequence(siblings, 0..2).prop_map(move |names| {
        Behaviour::DependsOn(names.into_iter().filter(|other| *other != name).collect())
    });
    let behaviour = prop_oneof![
        Just(Behaviour::Plain),
        Just(Behaviour::Replaces),
        Just(Behaviour::WriteOnly),
        Just(Behaviour::KeepsPrior),
        others
    ];
    let mode = prop_oneof![
        Just(Mode::Required),
        Just(Mode::Optional),
        Just(Mode::Computed),
        Just(if place == Place::Set { Mode::Optional } else { Mode::OptionalComputed })
    ];
    (shape(place), mode, behaviour)
        .prop_flat_map(move |(shape, mode, behaviour)| {
            let plain = matches!(shape, Shape::Type(_)) && mode == Mode::Optional;
            let default = match &shape {
                Shape::Type(kind) if plain => prop::option::of(generate::value(kind, Parts::Known)).boxed(),
                _ => Just(None).boxed(),
            };
            (Just(made(name, shape, mode, behaviour)), default)
        })
        .prop_map(|(attribute, default)| match default {
            Some(default) if !default.is_null() && !attribute.is_write_only() => attribute.default(default),
            _ => attribute,
        })
        .boxed()
}

fn made(name: &str, shape: Shape, mode: Mode, behaviour: Behaviour) -> Attribute {
    let is_plain = matches!(shape, Shape::Type(_));
    let computed = matches!(mode, Mode::Computed | Mode::OptionalComputed);
    let attribute = match mode {
        Mode::Required => Attribute::required(name, shape),
        Mode::Optional => Attribute::optional(name, shape),
        Mode::Computed => Attribute::computed(name, shape),
        Mode::OptionalComputed => Attribute::optional_computed(name, shape),
    };
    match behaviour {
        Behaviour::Replaces if !computed => attribute.requires_replace(),
        Behaviour::WriteOnly if is_plain && matches!(mode, Mode::Required | Mode::Optional) => {
            attribute.write_only()
        }
        Behaviour::KeepsPrior if computed => attribute.keeps_prior(),
        Behaviour::DependsOn(names) if computed => attribute.depends_on(names),
        _ => attribute,
    }
}

fn shape(place: Place) -> BoxedStrategy<Shape> {
    let plain = prop_oneof![3 => Just(Type::String), 1 => Just(Type::Number), 2 => generate::settled_kind()];
    if place != Place::Top {
        return plain.prop_map(Shape::Type).boxed();
    }
    let plain = prop_oneof![6 => plain, 1 => Just(Type::Dynamic)].prop_map(Shape::Type);
    let of = |nesting: fn(Vec<Attribute>) -> Shape, place| attributes(place).prop_map(nesting);
    prop_oneof![
        9 => plain,
        1 => of(Shape::single, Place::Inner),
        1 => of(Shape::list, Place::Inner),
        1 => of(Shape::map, Place::Inner),
        1 => of(Shape::set, Place::Set)
    ]
    .boxed()
}

/// A configuration of a schema, wholly known.
pub(crate) fn config(schema: &Schema) -> BoxedStrategy<Value> {
    object(schema.top())
}

fn object(block: &Block) -> BoxedStrategy<Value> {
    let attributes = block.attributes().iter().map(|one| (Just(one.name().to_owned()), configured(one)));
    let blocks = block.blocks().iter().map(|nested| {
        let content = object(nested.content());
        let value = match nested.nesting() {
            None => content,
            Some(nesting) => repeated(nesting, content),
        };
        (Just(nested.name().to_owned()), value)
    });
    attributes
        .map(Strategy::boxed)
        .chain(blocks.map(Strategy::boxed))
        .collect::<Vec<_>>()
        .prop_map(Value::object)
        .boxed()
}

fn configured(attribute: &Attribute) -> BoxedStrategy<Value> {
    if attribute.mode() == Mode::Computed {
        return Just(Value::Null).boxed();
    }
    let value = match attribute.shape() {
        Shape::Type(kind) => generate::value(kind, Parts::Known),
        Shape::Nested(nesting, inner) => {
            repeated(*nesting, object(&inner.iter().cloned().fold(Block::new(), Block::attribute)))
        }
    };
    if attribute.mode() == Mode::Required {
        value.prop_filter("it is required", |value| !value.is_null()).boxed()
    } else {
        prop_oneof![2 => value, 1 => Just(Value::Null)].boxed()
    }
}

fn repeated(nesting: Nesting, content: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    match nesting {
        Nesting::Single => prop_oneof![3 => content, 1 => Just(Value::Null)].boxed(),
        Nesting::List | Nesting::Set => vec(content, 0..3).prop_map(Value::List).boxed(),
        Nesting::Map => btree_map("[k-m]", content, 0..3).prop_map(Value::Map).boxed(),
    }
}

/// What an apply finds an unknown attribute to be.
pub(crate) fn found(attribute: Option<&Attribute>) -> Value {
    match attribute.map(Attribute::shape) {
        Some(Shape::Type(Type::String)) => "found".into(),
        Some(Shape::Type(Type::Number)) => 7_i64.into(),
        _ => Value::Null,
    }
}
