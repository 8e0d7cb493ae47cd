//! Blocks: attributes and further blocks that belong together.

use super::{Attribute, Nesting, Notes, Rule, behaviour::Inputs};
use crate::Type;

/// Attributes and blocks that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<NestedBlock>,
    pub(super) rules: Vec<Rule>,
    pub(super) notes: Notes,
}

/// A block inside a block: `timeouts { create = "5m" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedBlock {
    pub(super) name: String,
    pub(super) block: Block,
    pub(super) nesting: BlockNesting,
    pub(super) min_items: u32,
    pub(super) max_items: u32,
    pub(super) computed: bool,
    pub(super) inputs: Inputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockNesting {
    Of(Nesting),
    /// Once; there even if not written.
    Group,
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

    /// Checks its attributes and blocks against each other, wherever it occurs.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
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

    pub(super) fn implied_type(&self) -> Type {
        let attributes =
            self.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.implied_type()));
        let blocks = self.blocks.iter().map(|block| (block.name.clone(), block.implied_type()));
        Type::Object(attributes.chain(blocks).collect())
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

    pub(crate) fn occurring(name: &str, block: Block, nesting: Nesting) -> Self {
        Self::new(name, block, BlockNesting::Of(nesting))
    }

    fn new(name: &str, block: Block, nesting: BlockNesting) -> Self {
        Self {
            name: name.to_owned(),
            block,
            nesting,
            min_items: 0,
            max_items: 0,
            computed: false,
            inputs: Inputs::All,
        }
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

    /// Lets the provider fill it in where the user wrote none. Everything in it has to be computed, too.
    /// Filled for a client without [`computed_blocks`](crate::ClientCapabilities::computed_blocks), such as
    /// any before Terraform 1.16, it is an error.
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    /// Marks it as going away, saying what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: &str) -> Self {
        self.block.notes.deprecated = Some(message.to_owned());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the provider may fill it in.
    pub fn is_computed(&self) -> bool {
        self.computed
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

    pub(super) fn implied_type(&self) -> Type {
        let object = self.block.implied_type();
        match self.nesting {
            BlockNesting::Group => object,
            // Elements may differ in type then, so each brings its own.
            BlockNesting::Of(Nesting::List | Nesting::Map) if object.has_dynamic() => Type::Dynamic,
            BlockNesting::Of(nesting) => nesting.of(object),
        }
    }
}
