//! Values seen through a schema: filling in, finding attributes, computed parts.

use std::collections::BTreeMap;

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
        let filled = match (self.nesting, value.into_plain()) {
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
        };
        self.typed(filled)
    }

    /// Where elements may differ in type: with the types that the schema gives them, also where they are null.
    /// What is not of the schema's type is left to [`Value::conform`] to find.
    pub(super) fn typed(&self, value: Value) -> Value {
        if self.implied_type() != Type::Dynamic {
            return value;
        }
        let object = self.block.implied_type();
        let conformed = |element: Value| element.clone().conform(&object).unwrap_or(element);
        match value.into_plain() {
            Value::List(elements) => {
                let elements: Vec<_> = elements.into_iter().map(conformed).collect();
                let kinds = elements.iter().map(|element| object.settled_by(element)).collect();
                Value::List(elements).bringing(Type::Tuple(kinds))
            }
            Value::Map(members) => {
                let members: BTreeMap<_, _> =
                    members.into_iter().map(|(key, member)| (key, conformed(member))).collect();
                let kinds = members.iter().map(|(key, member)| (key, object.settled_by(member)));
                let kind = Type::object(kinds);
                Value::Map(members).bringing(kind)
            }
            other => other,
        }
    }
}

impl Type {
    /// The same with the types that a value of it brings to its dynamic places.
    fn settled_by(&self, value: &Value) -> Self {
        match (self, value) {
            (Self::Dynamic, Value::Dynamic(own, _)) => own.clone(),
            (Self::Object(attributes), Value::Map(members)) => {
                Self::object(attributes.iter().map(|(name, kind)| {
                    (name, members.get(name).map_or_else(|| kind.clone(), |member| kind.settled_by(member)))
                }))
            }
            _ => self.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What blocks with a dynamic member are on the wire: each element with the types of the schema, where null too.
    #[test]
    fn elements_that_differ_in_type_keep_those_of_the_schema() {
        let content = || {
            Block::new()
                .attribute(Attribute::optional("name", Type::String))
                .attribute(Attribute::optional("any", Type::Dynamic))
        };
        let schema =
            Schema::new().block(NestedBlock::list("row", content())).block(NestedBlock::map("by", content()));
        let row = Value::object([("any", Value::from(true))]);
        let kind = |any: Type| Type::object([("name", Type::String), ("any", any)]);
        let value = Value::object([
            ("row", Value::list([row.clone(), Value::object([("any", Value::Unknown)])])),
            ("by", Value::object([("k", row)])),
        ]);
        let complete = schema.complete(value).unwrap();
        let own = |name: &str| match complete.get(name) {
            Value::Dynamic(own, _) => own.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(own("row"), Type::Tuple(vec![kind(Type::Bool), kind(Type::Dynamic)]));
        assert_eq!(own("by"), Type::object([("k", kind(Type::Bool))]));
        assert_eq!(schema.complete(complete.clone()).unwrap(), complete);
        // A plan of what stays as it is does not differ from it, whichever types the null parts came with.
        let bare = Value::object([("row", Value::list([Value::object([("any", Value::from(true))])]))]);
        let prior = schema.complete(bare.clone()).unwrap();
        assert_eq!(schema.plan(&prior, &bare, &bare).planned, prior);
    }
}
