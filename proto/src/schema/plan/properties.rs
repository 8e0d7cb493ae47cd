//! Plans of schemas, states and configurations nobody thought of, judged by Terraform's rules.
//!
//! Everything follows from a seed, which a failure names. Few names and few words make coincidences:
//! elements that are equal, values that stay, defaults that are what was written.

use super::*;
use crate::{Block, Mode, NestedBlock, Shape, Type, check, testing::proposed::proposed};

/// Chance, as a function of a seed.
struct Dice(u64);

impl Dice {
    /// From 0 to below a limit (splitmix64).
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.roll(count) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()].clone()
    }

    fn word(&mut self) -> Value {
        self.pick(&["x", "y", "z"]).into()
    }
}

const NESTINGS: [Nesting; 4] = [Nesting::Single, Nesting::List, Nesting::Set, Nesting::Map];

fn attributes(dice: &mut Dice, depth: u32, in_set: bool) -> Vec<Attribute> {
    let count = 1 + usize::try_from(dice.roll(4)).unwrap();
    let names = ["a", "b", "c", "d"].into_iter().take(count);
    let plain: Vec<_> = names.map(|name| attribute(dice, name, depth, in_set)).collect();
    let seen = plain.iter().filter(|attribute| !attribute.is_write_only());
    let inputs: Vec<_> = seen.map(|attribute| attribute.name().to_owned()).collect();
    plain.into_iter().map(|attribute| behaving(dice, attribute, &inputs)).collect()
}

fn attribute(dice: &mut Dice, name: &str, depth: u32, in_set: bool) -> Attribute {
    let nesting = dice.pick(&NESTINGS);
    let shape = match dice.roll(4) {
        0 => Type::set(Type::String).into(),
        1 if depth > 0 => {
            Shape::Nested(nesting, attributes(dice, depth - 1, in_set || nesting == Nesting::Set))
        }
        _ => Shape::from(Type::String),
    };
    let text = matches!(shape, Shape::Type(Type::String));
    let mode = dice.pick(&[Mode::Required, Mode::Optional, Mode::Computed, Mode::OptionalComputed]);
    let attribute = Attribute::optional(name, shape).set_by(mode);
    match dice.roll(8) {
        0 | 1 if text && mode == Mode::Optional => {
            let word = dice.word();
            attribute.default(word)
        }
        2 if text && mode == Mode::Optional && !in_set => attribute.write_only(),
        3 if text => attribute.same_if(|prior, config| *prior == "x".into() && *config == "y".into()),
        _ => attribute,
    }
}

/// Says something about an attribute that does not contradict what is said already.
fn behaving(dice: &mut Dice, attribute: Attribute, inputs: &[String]) -> Attribute {
    let ours = attribute.is_computed() && attribute.default_value().is_none();
    let declared = ours && !dice.one_in(3);
    let attribute = match dice.roll(3) {
        _ if !declared => attribute,
        0 => attribute.keeps_prior(),
        _ => {
            let others = inputs.iter().filter(|name| *name != attribute.name());
            let inputs: Vec<_> = others.filter(|_| dice.one_in(2)).cloned().collect();
            attribute.depends_on(inputs)
        }
    };
    match dice.roll(5) {
        _ if ours && !declared => attribute,
        0 => attribute.requires_replace(),
        1 => attribute.requires_replace_if(|prior, planned| prior < planned),
        _ => attribute,
    }
}

fn schema(dice: &mut Dice) -> Schema {
    let schema = attributes(dice, 2, false).into_iter().fold(Schema::new(), Schema::attribute);
    let kinds =
        [NestedBlock::single, NestedBlock::group, NestedBlock::list, NestedBlock::set, NestedBlock::map];
    let mut blocks = Vec::new();
    for name in ["m", "n"] {
        let kind = dice.pick(&[0, 1, 2, 3, 4]);
        let inner = attributes(dice, 1, kind == 3).into_iter().fold(Block::new(), Block::attribute);
        blocks.push(kinds[kind](name, inner));
    }
    blocks.into_iter().fold(schema, Schema::block)
}

/// A configuration; one value in `unknown` is not known, if that is not 0.
fn object(dice: &mut Dice, of: Members<'_>, unknown: u64) -> Value {
    let mut object = Value::object::<&str>([]);
    for attribute in of.attributes {
        let left_out =
            attribute.mode() == Mode::Computed || (attribute.mode() != Mode::Required && dice.one_in(2));
        let value = match attribute.nested() {
            _ if left_out => Value::Null,
            _ if unknown > 0 && dice.one_in(unknown) => Value::Unknown,
            Some((nesting, members)) => elements(dice, nesting, members, unknown),
            None if matches!(attribute.shape(), Shape::Type(Type::Set(_))) => words(dice, unknown),
            None => dice.word(),
        };
        object.set(attribute.name(), value);
    }
    for block in of.blocks {
        let (nesting, members) = block.parts();
        let group = block.nesting().is_none();
        let value = match nesting {
            _ if unknown > 0 && !group && dice.one_in(unknown) => Value::Unknown,
            Nesting::Single if !group && dice.one_in(2) => Value::Null,
            _ => elements(dice, nesting, members, unknown),
        };
        object.set(block.name(), value);
    }
    object
}

fn words(dice: &mut Dice, unknown: u64) -> Value {
    let count = dice.roll(3);
    let word =
        |dice: &mut Dice| if unknown > 0 && dice.one_in(unknown) { Value::Unknown } else { dice.word() };
    Value::list((0..count).map(|_| word(dice)))
}

fn elements(dice: &mut Dice, nesting: Nesting, of: Members<'_>, unknown: u64) -> Value {
    let count = dice.roll(4);
    match nesting {
        Nesting::Single => object(dice, of, unknown),
        Nesting::List | Nesting::Set => Value::list((0..count).map(|_| object(dice, of, unknown))),
        Nesting::Map => {
            let mut elements = Vec::new();
            for key in ["k", "l", "m"].into_iter().take(usize::try_from(count).unwrap()) {
                elements.push((key, object(dice, of, unknown)));
            }
            Value::object(elements)
        }
    }
}

/// A configuration like another, but for some parts at the top.
fn edited(dice: &mut Dice, schema: &Schema, config: &Value) -> Value {
    let mut edited = object(dice, schema.top().into(), 6);
    for (name, value) in config.as_map().unwrap() {
        if !dice.one_in(3) {
            edited.set(name, value.clone());
        }
    }
    edited
}

/// The same with everything known: set by the user, or filled in by an apply, which sets nothing that only
/// a user may.
fn decided(dice: &mut Dice, schema: &Schema, value: Value, by_user: bool) -> Value {
    value.map(&mut |path, value| {
        if !value.is_unknown() {
            return value;
        }
        let Some(attribute) = schema.attribute_at(path) else { return decided_block(dice, schema, path) };
        let required = attribute.mode() == Mode::Required;
        match attribute.nested() {
            // An element of a set of words.
            None if !path.ends_with(attribute.name()) => dice.word(),
            _ if !required && dice.one_in(3) => Value::Null,
            None if matches!(attribute.shape(), Shape::Type(Type::String)) => dice.word(),
            None => words(dice, 0),
            Some((nesting, members)) if by_user => elements(dice, nesting, members, 0),
            Some((nesting, members)) => {
                members.without_arguments(nesting, elements(dice, nesting, members, 0))
            }
        }
    })
}

impl Members<'_> {
    fn without_arguments(self, nesting: Nesting, value: Value) -> Value {
        let strip = |value: Value| {
            let parts = self.attributes.iter().map(|one| match one.nested() {
                _ if !one.is_computed() => (one.name(), Value::Null),
                None => (one.name(), value.get(one.name()).clone()),
                Some((nesting, of)) => {
                    (one.name(), of.without_arguments(nesting, value.get(one.name()).clone()))
                }
            });
            if value.is_null() { Value::Null } else { Value::object(parts) }
        };
        match value {
            Value::List(elements) => Value::list(elements.into_iter().map(strip)),
            Value::Map(members) if nesting == Nesting::Map => {
                Value::object(members.into_iter().map(|(key, value)| (key, strip(value))))
            }
            other => strip(other),
        }
    }
}

fn decided_block(dice: &mut Dice, schema: &Schema, path: &Path) -> Value {
    let block = schema.top().blocks().iter().find(|block| path.ends_with(block.name()));
    let (nesting, members) = block.expect("a block at the top").parts();
    elements(dice, nesting, members, 0)
}

fn planned(schema: &Schema, prior: &Value, config: &Value) -> PlannedBySchema {
    let plan = schema.plan(prior, &proposed(schema, prior, config), config);
    assert!(plan.diagnostics.is_empty(), "{:?}", plan.diagnostics);
    assert_eq!(check::plan(schema, prior, config, &plan.planned), [], "{config:?}\n{:?}", plan.planned);
    assert_eq!(check::replaces(schema, prior, &plan.planned, &plan.requires_replace), []);
    plan
}

/// A value in the form it arrives in.
fn arrived(schema: &Schema, config: Value) -> Value {
    schema.complete(config).unwrap()
}

fn check(seed: u64) {
    let dice = &mut Dice(seed);
    let schema = &schema(dice);
    assert_eq!(schema.check(), []);
    // Something is created,
    let first = arrived(schema, object(dice, schema.top().into(), 0));
    let created = planned(schema, &Value::Null, &first).planned;
    let state = arrived(schema, decided(dice, schema, created, false));
    // is left as it is,
    let same = planned(schema, &state, &first);
    assert_eq!((same.planned, same.requires_replace), (state.clone(), Vec::new()), "{first:?}");
    // and changed, which is planned again when everything is known.
    for prior in [&Value::Null, &state] {
        let early = edited(dice, schema, &first);
        let late = decided(dice, schema, early.clone(), true);
        let (early, late) = (arrived(schema, early), arrived(schema, late));
        let before = planned(schema, prior, &early);
        let after = planned(schema, prior, &late);
        let faults = check::replan(schema, &before.planned, &after.planned);
        assert_eq!(faults, [], "{prior:?}\n{early:?}\n{late:?}\n{:?}\n{:?}", before.planned, after.planned);
        let foreseen =
            |path: &Path| before.requires_replace.iter().any(|one| path.steps().starts_with(one.steps()));
        assert!(after.requires_replace.iter().all(foreseen), "{before:?} {after:?}");
    }
}

#[test]
fn plans_obey_terraform_and_do_not_contradict_themselves() {
    for seed in 0..1500 {
        let failed = std::panic::catch_unwind(|| check(seed)).is_err();
        assert!(!failed, "with the seed {seed}");
    }
}
