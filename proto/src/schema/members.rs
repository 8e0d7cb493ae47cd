//! What an object is made of, whether it is a block or the object of nested attributes.

use super::{Attribute, Block, NestedBlock, Nesting, Rule, Shape};
use crate::{Step, Value};

/// The members of an object.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    pub(super) attributes: &'a [Attribute],
    pub(super) blocks: &'a [NestedBlock],
    pub(super) rules: &'a [Rule],
}

impl<'a> From<&'a Block> for Members<'a> {
    fn from(block: &'a Block) -> Self {
        Self { attributes: &block.attributes, blocks: &block.blocks, rules: &block.rules }
    }
}

impl Attribute {
    /// How often its nested attributes occur, and which they are.
    pub(super) fn nested(&self) -> Option<(Nesting, Members<'_>)> {
        let Shape::Nested(nesting, attributes) = &self.shape else { return None };
        Some((*nesting, Members { attributes, blocks: &[], rules: &self.behaviour.rules }))
    }
}

impl NestedBlock {
    /// How often it occurs, and what it is made of. A group is a single block that is always there.
    pub(super) fn parts(&self) -> (Nesting, Members<'_>) {
        (self.nesting().unwrap_or(Nesting::Single), (&self.block).into())
    }

    /// Whether it is the provider's to fill: the user wrote none.
    pub(crate) fn is_ours(&self, config: &Value) -> bool {
        self.is_computed() && is_absent(config)
    }
}

impl Members<'_> {
    /// The nested objects.
    pub(super) fn nested(&self) -> impl Iterator<Item = (&str, Nesting, Members<'_>)> {
        let attributes = self.attributes.iter().filter_map(|attribute| {
            attribute.nested().map(|(nesting, members)| (attribute.name(), nesting, members))
        });
        let blocks = self.blocks.iter().map(|block| {
            let (nesting, members) = block.parts();
            (block.name(), nesting, members)
        });
        attributes.chain(blocks)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name() == name)
    }

    pub(super) fn block(&self, name: &str) -> Option<&NestedBlock> {
        self.blocks.iter().find(|block| block.name() == name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some() || self.block(name).is_some()
    }
}

/// Whether a block is not written. Terraform says so with null for those that the provider may fill.
pub(crate) fn is_absent(block: &Value) -> bool {
    match block.plain() {
        Value::Null => true,
        Value::List(elements) => elements.is_empty(),
        Value::Map(members) => members.is_empty(),
        _ => false,
    }
}

/// The steps to the elements of a list, set or map.
pub(super) fn steps(value: &Value) -> Vec<Step> {
    match value.plain() {
        Value::List(elements) => (0..elements.len()).map(Step::Index).collect(),
        Value::Map(members) => members.keys().cloned().map(Step::Key).collect(),
        _ => Vec::new(),
    }
}

/// The element a step leads to, under the rules of [`Value::get`].
pub(super) fn element<'a>(value: &'a Value, step: &Step) -> &'a Value {
    static NULL: Value = Value::Null;
    match (step, value.plain()) {
        (Step::Index(index), Value::List(elements)) => elements.get(*index).unwrap_or(&NULL),
        (Step::Index(_), Value::Unknown) => value,
        (Step::Index(_), _) => &NULL,
        (Step::Key(name) | Step::Attribute(name), _) => value.get(name),
    }
}
