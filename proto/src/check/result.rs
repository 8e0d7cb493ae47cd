//! Whether a state, a result or an identity may be kept.

use super::{Fault, Faults, plan};
use crate::{Attribute, Block, IdentitySchema, NestedBlock, Nesting, Path, Schema, Shape, Step, Value};

/// What is wrong with a state that was read, imported, moved or upgraded, or with what a data source gave:
/// everything is known, nothing write-only is there, repeated blocks are empty and not null.
/// That there is none is no fault here.
pub fn state(schema: &Schema, state: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(path) = state.first_unknown() {
        faults.add(&path, "is still unknown");
    }
    if !state.is_null() {
        faults.kept_block(schema.top(), state, &Path::root());
    }
    faults.0
}

/// What is wrong with an opened ephemeral resource: what is configured stays so, and everything is known.
pub fn ephemeral(schema: &Schema, config: &Value, result: &Value) -> Vec<Fault> {
    let mut faults = plan(schema, &Value::Null, config, result);
    faults.extend(state(schema, result));
    faults
}

/// What is wrong with an identity: it has the parts of its schema, and all of them are known.
pub fn identity(schema: &IdentitySchema, identity: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Err(error) = identity.clone().conform(&schema.implied_type()) {
        faults.add(&error.path, format!("must be {}, not {}", error.wanted, error.found));
    } else if identity.is_null() {
        faults.add(&Path::root(), "has no identity");
    } else if let Some(path) = identity.first_unknown() {
        faults.add(&path, "is a part of the identity and still unknown");
    }
    faults.0
}

/// What is wrong with an identity after an update or a look: it names the same thing for ever.
pub fn same_identity(before: &Value, after: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    for (name, part) in before.as_map().into_iter().flatten() {
        // Parts that a newer version added, or that were not known before, may come.
        if part.is_known() && !part.is_null() && part != after.get(name) {
            faults.add(&Path::root().attribute(name), "is a part of the identity and cannot change");
        }
    }
    faults.0
}

impl Faults {
    fn kept_block(&mut self, block: &Block, state: &Value, path: &Path) {
        for attribute in block.attributes() {
            self.kept_attribute(
                attribute,
                state.get(attribute.name()),
                &path.clone().attribute(attribute.name()),
            );
        }
        for nested in block.blocks() {
            self.kept_nested(nested, state.get(nested.name()), &path.clone().attribute(nested.name()));
        }
    }

    fn kept_nested(&mut self, nested: &NestedBlock, state: &Value, path: &Path) {
        if nested.nesting() == Some(Nesting::Single) && state.is_null() {
            return;
        }
        if state.is_null() {
            return self.add(path, "is a block and cannot be null, only empty");
        }
        for (state, path) in parts(nested.nesting(), state, path) {
            self.kept_block(nested.content(), state, &path);
        }
    }

    fn kept_attribute(&mut self, attribute: &Attribute, state: &Value, path: &Path) {
        if attribute.is_write_only() && !state.is_null() {
            self.add(path, "is write-only and must be null in a state");
        }
        if let Shape::Nested(nesting, inner) = attribute.shape() {
            for (state, path) in parts(Some(*nesting), state, path) {
                for attribute in inner {
                    let path = path.clone().attribute(attribute.name());
                    self.kept_attribute(attribute, state.get(attribute.name()), &path);
                }
            }
        }
    }
}

/// The elements of a block or of nested attributes. Those of sets stand for the whole.
fn parts<'a>(nesting: Option<Nesting>, state: &'a Value, path: &Path) -> Vec<(&'a Value, Path)> {
    match (nesting, state.plain()) {
        (None | Some(Nesting::Single), _) => vec![(state, path.clone())],
        (Some(Nesting::Set), Value::List(elements)) => {
            elements.iter().map(|element| (element, path.clone())).collect()
        }
        (_, Value::List(elements)) => {
            let elements = elements.iter().enumerate();
            elements.map(|(index, element)| (element, path.clone().index(index))).collect()
        }
        (_, Value::Map(members)) => {
            let members = members.iter();
            members.map(|(key, member)| (member, path.clone().then(Step::Key(key.clone())))).collect()
        }
        _ => Vec::new(),
    }
}
