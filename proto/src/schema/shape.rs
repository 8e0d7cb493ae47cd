//! Values seen through a schema: filling in, finding attributes, computed parts.

use serde_json::Value as Json;

use super::{Attribute, Block, NestedBlock, Nesting, Schema, Shape, block::BlockNesting};
use crate::{Path, Type, Value, path::Step, view::ValueError};

impl Schema {
    /// The type of all values of this schema.
    pub fn implied_type(&self) -> Type {
        self.block.implied_type()
    }

    /// Brings a value into the form Terraform demands: every attribute there, absent repeated blocks
    /// empty, groups filled, text in normal form C, sets sorted, write-only attributes null.
    ///
    /// # Errors
    /// If some part is not of its type, or there is an attribute the schema does not have.
    pub fn complete(&self, value: Value) -> Result<Value, ValueError> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let filled = self.block.fill(value).map(&mut |path, value| match self.attribute_at(path) {
            Some(attribute) if attribute.write_only => Value::Null,
            _ => value,
        });
        filled.conform(&self.implied_type())
    }

    /// Reads state in Terraform's JSON form: attributes the schema does not have are dropped, missing
    /// ones are null.
    ///
    /// # Errors
    /// If some attribute is not of its type.
    pub fn decode_state(&self, state: &Json) -> Result<Value, ValueError> {
        self.complete(Value::from_json(state, &self.implied_type())?)
    }

    /// The attribute a path leads to, or into the plain type of which it leads.
    /// Steps into elements are skipped.
    pub fn attribute_at(&self, path: &Path) -> Option<&Attribute> {
        let mut names = path.steps().iter().peekable();
        let mut block = &self.block;
        loop {
            let name = next_name(&mut names)?;
            if let Some(nested) = block.blocks.iter().find(|nested| nested.name == name) {
                skip_element(&mut names, nested.nesting());
                block = &nested.block;
                continue;
            }
            let mut attribute = find(&block.attributes, name)?;
            while let Shape::Nested(nesting, inner) = &attribute.shape {
                skip_element(&mut names, Some(*nesting));
                match next_name(&mut names) {
                    Some(name) => attribute = find(inner, name)?,
                    None => break,
                }
            }
            return Some(attribute);
        }
    }

    /// The block a path leads to; not from inside it.
    pub(crate) fn block_at(&self, path: &Path) -> Option<&NestedBlock> {
        let mut names = path.steps().iter().peekable();
        let mut block = &self.block;
        loop {
            let name = next_name(&mut names)?;
            let nested = block.blocks.iter().find(|nested| nested.name == name)?;
            if names.peek().is_none() {
                return Some(nested);
            }
            skip_element(&mut names, nested.nesting());
            block = &nested.block;
        }
    }

    /// The usual plan: if `proposed` differs from `prior`, everything computed that is not configured
    /// becomes unknown; else nothing changes.
    pub fn mark_computed_unknown(&self, prior: &Value, proposed: Value, config: &Value) -> Value {
        if *prior == proposed {
            return proposed;
        }
        proposed.map(&mut |path, value| match self.attribute_at(path) {
            Some(attribute) if attribute.is_computed() && config.at(path).is_null() => Value::Unknown,
            _ => value,
        })
    }
}

type Steps<'a> = std::iter::Peekable<std::slice::Iter<'a, Step>>;

fn next_name<'a>(steps: &mut Steps<'a>) -> Option<&'a str> {
    match steps.next()? {
        Step::Attribute(name) | Step::Key(name) => Some(name),
        Step::Index(_) => None,
    }
}

fn skip_element(steps: &mut Steps<'_>, nesting: Option<Nesting>) {
    if matches!(nesting, Some(Nesting::List | Nesting::Set | Nesting::Map)) {
        steps.next();
    }
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name == name)
}

impl Block {
    /// Puts absent blocks in, at every depth.
    fn fill(&self, value: Value) -> Value {
        match value {
            Value::Map(mut members) => {
                for block in &self.blocks {
                    let member = members.remove(&block.name).unwrap_or_default();
                    members.insert(block.name.clone(), block.fill(member));
                }
                Value::Map(members)
            }
            other => other,
        }
    }
}

impl NestedBlock {
    fn fill(&self, value: Value) -> Value {
        match (self.nesting, value) {
            (BlockNesting::Group, Value::Null) => self.block.fill(Value::Map([].into())),
            (BlockNesting::Of(Nesting::List | Nesting::Set), Value::Null) => Value::list([]),
            (BlockNesting::Of(Nesting::Map), Value::Null) => Value::Map([].into()),
            (BlockNesting::Of(Nesting::List | Nesting::Set), Value::List(elements)) => {
                Value::list(elements.into_iter().map(|element| self.block.fill(element)))
            }
            (BlockNesting::Of(Nesting::Map), Value::Map(members)) => {
                Value::object(members.into_iter().map(|(key, member)| (key, self.block.fill(member))))
            }
            (_, other) => self.block.fill(other),
        }
    }
}
