//! Schemas as data. What would crash Terraform cannot be written; what it would refuse at load
//! is found by [`Schema::check`].

mod behaviour;
mod block;
mod configurable;
mod identity;
mod lint;
mod members;
mod plan;
mod rule;
mod shape;
mod travel;
mod validate;

use self::behaviour::Behaviour;
use crate::Type;

pub use block::{Block, NestedBlock};
pub use identity::{IdentityAttribute, IdentitySchema};
pub use lint::SchemaFault;
pub(crate) use members::is_absent;
pub use plan::PlannedBySchema;
pub use rule::Rule;

/// The schema of a provider's configuration, a resource or a data source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    version: u32,
    block: Block,
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
    behaviour: Behaviour,
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

    /// Checks attributes and blocks at the top against each other.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.block = self.block.rule(rule);
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
        let (notes, behaviour) = (Notes::default(), Behaviour::default());
        Self { name: name.to_owned(), shape, mode, sensitive: false, write_only: false, notes, behaviour }
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
        self.shape.implied_type()
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

impl Shape {
    fn implied_type(&self) -> Type {
        match self {
            Self::Type(kind) => kind.without_optional(),
            Self::Nested(nesting, attributes) => nesting
                .of(Type::object(attributes.iter().map(|inner| (inner.name.clone(), inner.implied_type())))),
        }
    }
}

impl From<Type> for Shape {
    fn from(kind: Type) -> Self {
        Self::Type(kind)
    }
}

impl From<Block> for Schema {
    fn from(block: Block) -> Self {
        Self { version: 0, block }
    }
}

impl Nesting {
    /// The shape of so many of something.
    pub(crate) fn around(self, element: Shape) -> Shape {
        match element {
            Shape::Nested(Nesting::Single, attributes) => Shape::Nested(self, attributes),
            other => self.of(other.implied_type()).into(),
        }
    }

    fn of(self, object: Type) -> Type {
        match self {
            Self::Single => object,
            Self::List => Type::list(object),
            Self::Set => Type::set(object),
            Self::Map => Type::map(object),
        }
    }
}
