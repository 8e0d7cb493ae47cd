//! Schemas as data. What would crash Terraform cannot be written; what it would refuse at load
//! is found by [`Schema::check`].

mod lint;
mod shape;
mod travel;

use std::collections::BTreeMap;

use crate::Type;

pub use lint::SchemaFault;

/// The schema of a provider's configuration, a resource or a data source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    version: u32,
    block: Block,
}

/// Attributes and blocks that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    attributes: Vec<Attribute>,
    blocks: Vec<NestedBlock>,
    notes: Notes,
}

/// What is said about a part of a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Notes {
    description: String,
    deprecated: Option<String>,
}

/// One argument or result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    name: String,
    shape: Shape,
    mode: Mode,
    sensitive: bool,
    write_only: bool,
    notes: Notes,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The user must.
    Required,
    /// The user may.
    Optional,
    /// The provider does.
    Computed,
    /// The user may, else the provider does.
    OptionalComputed,
}

/// What an attribute holds: a type, or attributes of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A plain type.
    Type(Type),
    /// Nested attributes: `build = { context = "." }`.
    Nested(Nesting, Vec<Attribute>),
}

/// How often nested attributes or a nested block occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// Once or not at all: an object, null if absent.
    Single,
    /// In order.
    List,
    /// Without order and doubles.
    Set,
    /// By name.
    Map,
}

/// A block inside a block: `timeouts { create = "5m" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedBlock {
    name: String,
    block: Block,
    nesting: BlockNesting,
    min_items: u32,
    max_items: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockNesting {
    Of(Nesting),
    /// Once; there even if not written.
    Group,
}

impl Schema {
    /// A schema of version 0 without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version of the state's form; raise it with each change that old state does not fit.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, attribute: Attribute) -> Self {
        self.block = self.block.attribute(attribute);
        self
    }

    /// Adds a block.
    #[must_use]
    pub fn block(mut self, block: NestedBlock) -> Self {
        self.block = self.block.block(block);
        self
    }

    /// Describes it, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.block = self.block.describe(description);
        self
    }

    /// Marks it as going away, saying what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: &str) -> Self {
        self.block.notes.deprecated = Some(message.to_owned());
        self
    }

    /// What is at the top.
    pub fn top(&self) -> &Block {
        &self.block
    }
}

impl Block {
    /// A block without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Adds a block.
    #[must_use]
    pub fn block(mut self, block: NestedBlock) -> Self {
        self.blocks.push(block);
        self
    }

    /// Describes it, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        description.clone_into(&mut self.notes.description);
        self
    }

    /// Its attributes, in the order they were added.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Its blocks, in the order they were added.
    pub fn blocks(&self) -> &[NestedBlock] {
        &self.blocks
    }

    fn implied_type(&self) -> Type {
        let attributes =
            self.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.implied_type()));
        let blocks = self.blocks.iter().map(|block| (block.name.clone(), block.implied_type()));
        Type::Object(attributes.chain(blocks).collect())
    }
}

impl Attribute {
    /// One the user must set.
    pub fn required(name: &str, shape: impl Into<Shape>) -> Self {
        Self::new(name, shape.into(), Mode::Required)
    }

    /// One the user may set.
    pub fn optional(name: &str, shape: impl Into<Shape>) -> Self {
        Self::new(name, shape.into(), Mode::Optional)
    }

    /// One the provider sets.
    pub fn computed(name: &str, shape: impl Into<Shape>) -> Self {
        Self::new(name, shape.into(), Mode::Computed)
    }

    /// One the user may set, else the provider does: also the mode of attributes with a default.
    pub fn optional_computed(name: &str, shape: impl Into<Shape>) -> Self {
        Self::new(name, shape.into(), Mode::OptionalComputed)
    }

    fn new(name: &str, shape: Shape, mode: Mode) -> Self {
        let notes = Notes::default();
        Self { name: name.to_owned(), shape, mode, sensitive: false, write_only: false, notes }
    }

    /// Hides the value in Terraform's output. It is in the state all the same.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Keeps the value out of plan and state: it is only ever in `config`, and elsewhere made
    /// null by this library. Needs Terraform or OpenTofu 1.11.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Describes it, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        description.clone_into(&mut self.notes.description);
        self
    }

    /// Marks it as going away, saying what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: &str) -> Self {
        self.notes.deprecated = Some(message.to_owned());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Who sets it.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether its value is hidden in output.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// Whether its value is kept out of the state.
    pub fn is_write_only(&self) -> bool {
        self.write_only
    }

    /// Its description.
    pub fn description(&self) -> &str {
        &self.notes.description
    }

    pub(crate) fn is_computed(&self) -> bool {
        matches!(self.mode, Mode::Computed | Mode::OptionalComputed)
    }

    fn implied_type(&self) -> Type {
        match &self.shape {
            Shape::Type(kind) => kind.clone(),
            Shape::Nested(nesting, attributes) => nesting
                .of(Type::object(attributes.iter().map(|inner| (inner.name.clone(), inner.implied_type())))),
        }
    }
}

impl Shape {
    /// `name = { … }`
    pub fn single(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self::Nested(Nesting::Single, attributes.into_iter().collect())
    }

    /// `name = [{ … }, …]`
    pub fn list(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self::Nested(Nesting::List, attributes.into_iter().collect())
    }

    /// `name = [{ … }, …]` without order and doubles.
    pub fn set(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self::Nested(Nesting::Set, attributes.into_iter().collect())
    }

    /// `name = { key = { … }, … }`
    pub fn map(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self::Nested(Nesting::Map, attributes.into_iter().collect())
    }
}

impl From<Type> for Shape {
    fn from(kind: Type) -> Self {
        Self::Type(kind)
    }
}

impl Nesting {
    fn of(self, object: Type) -> Type {
        match self {
            Self::Single => object,
            Self::List => Type::list(object),
            Self::Set => Type::set(object),
            Self::Map => Type::map(object),
        }
    }
}

impl NestedBlock {
    /// A block that occurs at most once; null if absent.
    pub fn single(name: &str, block: Block) -> Self {
        Self::new(name, block, BlockNesting::Of(Nesting::Single))
    }

    /// A block that is always there, filled with nulls if not written.
    pub fn group(name: &str, block: Block) -> Self {
        Self::new(name, block, BlockNesting::Group)
    }

    /// A block that may be repeated; the order counts.
    pub fn list(name: &str, block: Block) -> Self {
        Self::new(name, block, BlockNesting::Of(Nesting::List))
    }

    /// A block that may be repeated; the order does not count.
    pub fn set(name: &str, block: Block) -> Self {
        Self::new(name, block, BlockNesting::Of(Nesting::Set))
    }

    /// A block with a label that may be repeated: `name "key" { … }`.
    pub fn map(name: &str, block: Block) -> Self {
        Self::new(name, block, BlockNesting::Of(Nesting::Map))
    }

    fn new(name: &str, block: Block, nesting: BlockNesting) -> Self {
        Self { name: name.to_owned(), block, nesting, min_items: 0, max_items: 0 }
    }

    /// How often it must occur. For a single block, 1 makes it required.
    #[must_use]
    pub fn min_items(mut self, count: u32) -> Self {
        self.min_items = count;
        self
    }

    /// How often it may occur; 0 is without limit.
    #[must_use]
    pub fn max_items(mut self, count: u32) -> Self {
        self.max_items = count;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    pub fn content(&self) -> &Block {
        &self.block
    }

    /// How it occurs; `None` for a group.
    pub fn nesting(&self) -> Option<Nesting> {
        match self.nesting {
            BlockNesting::Of(nesting) => Some(nesting),
            BlockNesting::Group => None,
        }
    }

    fn implied_type(&self) -> Type {
        let object = self.block.implied_type();
        match self.nesting {
            BlockNesting::Group => object,
            // Elements may differ in type then, so each brings its own.
            BlockNesting::Of(Nesting::List | Nesting::Map) if object.has_dynamic() => Type::Dynamic,
            BlockNesting::Of(nesting) => nesting.of(object),
        }
    }
}

/// What names a managed resource for ever, such as an account, a region and a name.
///
/// Only where it never changes in the life of the resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentitySchema {
    version: u32,
    attributes: BTreeMap<String, IdentityAttribute>,
}

/// One part of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityAttribute {
    kind: Type,
    required: bool,
    description: String,
}

impl IdentitySchema {
    /// An identity without parts, version 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version of its form.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Adds a part an import must name.
    #[must_use]
    pub fn required(self, name: &str, kind: Type, description: &str) -> Self {
        self.with(name, kind, true, description)
    }

    /// Adds a part an import may leave to the provider.
    #[must_use]
    pub fn optional(self, name: &str, kind: Type, description: &str) -> Self {
        self.with(name, kind, false, description)
    }

    fn with(mut self, name: &str, kind: Type, required: bool, description: &str) -> Self {
        let description = description.to_owned();
        self.attributes.insert(name.to_owned(), IdentityAttribute { kind, required, description });
        self
    }

    pub(crate) fn implied_type(&self) -> Type {
        Type::object(self.attributes.iter().map(|(name, attribute)| (name.clone(), attribute.kind.clone())))
    }
}
