//! The rules by which Terraform refuses a provider when it loads it.

use super::{Attribute, Block, BlockNesting, IdentitySchema, Mode, NestedBlock, Nesting, Schema, Shape};
use crate::{Path, Type};

/// A part of a schema that Terraform would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {problem}")]
pub struct SchemaFault {
    /// Which part.
    pub path: Path,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Schema {
    /// All parts that Terraform would refuse when it loads the provider. A provider's tests assert that there are none.
    pub fn check(&self) -> Vec<SchemaFault> {
        let mut faults = Faults(Vec::new());
        faults.block(&self.block, &Path::root());
        faults.0
    }
}

impl IdentitySchema {
    /// All parts that Terraform would refuse when it loads the provider.
    pub fn check(&self) -> Vec<SchemaFault> {
        let mut faults = Faults(Vec::new());
        for (name, attribute) in &self.attributes {
            let path = Path::from(name.as_str());
            faults.name(name, &path);
            let element = if let Type::List(element) = &attribute.kind { element } else { &attribute.kind };
            let primitive = matches!(element, Type::Bool | Type::Number | Type::String);
            faults.when(!primitive, &path, "must be a primitive or a list of primitives");
        }
        faults.0
    }
}

struct Faults(Vec<SchemaFault>);

impl Faults {
    fn when(&mut self, wrong: bool, path: &Path, problem: &'static str) {
        if wrong {
            self.0.push(SchemaFault { path: path.clone(), problem });
        }
    }

    fn name(&mut self, name: &str, path: &Path) {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        self.when(name.is_empty() || !name.bytes().all(plain), path, "may consist of a-z, 0-9 and _ only");
    }

    fn block(&mut self, block: &Block, path: &Path) {
        self.attributes(&block.attributes, path);
        for (position, nested) in block.blocks.iter().enumerate() {
            let path = path.clone().attribute(&nested.name);
            self.name(&nested.name, &path);
            let twice = block.blocks[..position].iter().any(|other| other.name == nested.name)
                || block.attributes.iter().any(|attribute| attribute.name == nested.name);
            self.when(twice, &path, "is there twice");
            self.nested_block(nested, &path);
            self.block(&nested.block, &path);
        }
    }

    fn nested_block(&mut self, nested: &NestedBlock, path: &Path) {
        let (min, max) = (nested.min_items, nested.max_items);
        match nested.nesting {
            BlockNesting::Of(Nesting::Single) => self.when(min > 1 || max > 1, path, "occurs once at most"),
            BlockNesting::Of(Nesting::List | Nesting::Set) => {
                self.when(max != 0 && min > max, path, "must occur more often than it may");
            }
            BlockNesting::Of(Nesting::Map) | BlockNesting::Group => {
                self.when(min != 0 || max != 0, path, "cannot be counted");
            }
        }
        if nested.nesting == BlockNesting::Of(Nesting::Set) {
            self.when(
                nested.block.implied_type().has_dynamic(),
                path,
                "is a set and cannot hold a dynamic type",
            );
            self.when(nested.block.has_write_only(), path, "is a set and cannot hold write-only attributes");
        }
    }

    fn attributes(&mut self, attributes: &[Attribute], path: &Path) {
        for (position, attribute) in attributes.iter().enumerate() {
            let path = path.clone().attribute(&attribute.name);
            self.name(&attribute.name, &path);
            let twice = attributes[..position].iter().any(|other| other.name == attribute.name);
            self.when(twice, &path, "is there twice");
            self.attribute(attribute, &path);
        }
    }

    fn attribute(&mut self, attribute: &Attribute, path: &Path) {
        let computed = attribute.mode == Mode::Computed;
        self.when(attribute.write_only && computed, path, "is write-only and cannot be computed");
        match &attribute.shape {
            Shape::Type(kind) => {
                self.when(dynamic_set(kind), path, "is a set and cannot hold a dynamic type")
            }
            Shape::Nested(nesting, inner) => {
                if *nesting == Nesting::Set {
                    let dynamic = inner.iter().any(|attribute| attribute.implied_type().has_dynamic());
                    self.when(dynamic, path, "is a set and cannot hold a dynamic type");
                    let write_only = inner.iter().any(Attribute::has_write_only);
                    self.when(write_only, path, "is a set and cannot hold write-only attributes");
                }
                self.attributes(inner, path);
            }
        }
    }
}

fn dynamic_set(kind: &Type) -> bool {
    match kind {
        Type::Set(element) => element.has_dynamic(),
        Type::List(element) | Type::Map(element) => dynamic_set(element),
        Type::Tuple(elements) => elements.iter().any(dynamic_set),
        Type::Object(attributes) => attributes.values().any(dynamic_set),
        Type::Dynamic | Type::Bool | Type::Number | Type::String => false,
    }
}

impl Block {
    fn has_write_only(&self) -> bool {
        self.attributes.iter().any(Attribute::has_write_only)
            || self.blocks.iter().any(|nested| nested.block.has_write_only())
    }
}

impl Attribute {
    fn has_write_only(&self) -> bool {
        let inner = matches!(&self.shape, Shape::Nested(_, inner) if inner.iter().any(Self::has_write_only));
        self.write_only || inner
    }
}
