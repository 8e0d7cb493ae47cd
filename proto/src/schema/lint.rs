//! The rules by which Terraform refuses a provider when it loads it.

use super::{
    Attribute, Block, IdentitySchema, Mode, NestedBlock, Nesting, Notes, Schema, Shape, block::BlockNesting,
    members::Members,
};
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
    /// All parts that Terraform would refuse when it loads the provider. A provider's tests assert that
    /// there are none.
    pub fn check(&self) -> Vec<SchemaFault> {
        let mut faults = Faults(Vec::new());
        faults.notes(&self.block.notes, &Path::root());
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
        self.0.extend(Members::from(block).behaviour_faults(path));
        for (position, nested) in block.blocks.iter().enumerate() {
            let path = path.clone().attribute(&nested.name);
            self.name(&nested.name, &path);
            let twice = block.blocks[..position].iter().any(|other| other.name == nested.name)
                || block.attributes.iter().any(|attribute| attribute.name == nested.name);
            self.when(twice, &path, "is there twice");
            self.nested_block(nested, &path);
            self.notes(&nested.block.notes, &path);
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
        if nested.computed {
            self.computed_block(nested, path);
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

    /// What the provider may fill in must be its own to fill in all the way down.
    fn computed_block(&mut self, nested: &NestedBlock, path: &Path) {
        self.when(nested.nesting == BlockNesting::Group, path, "is a group and cannot be computed");
        self.when(nested.min_items > 0, path, "is computed and cannot be demanded of the user");
        for attribute in &nested.block.attributes {
            let path = path.clone().attribute(&attribute.name);
            self.when(!attribute.is_computed(), &path, "is in a computed block and must be computed, too");
        }
        for inner in &nested.block.blocks {
            let path = path.clone().attribute(&inner.name);
            self.when(!inner.computed, &path, "is in a computed block and must be computed, too");
        }
    }

    fn notes(&mut self, notes: &Notes, path: &Path) {
        let silent = notes.deprecated.as_ref().is_some_and(String::is_empty);
        self.when(silent, path, "is deprecated and does not say what to use instead");
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
        self.notes(&attribute.notes, path);
        let computed = attribute.mode == Mode::Computed;
        self.when(attribute.write_only && computed, path, "is write-only and cannot be computed");
        match &attribute.shape {
            Shape::Type(kind) => {
                self.when(kind.has_dynamic_set(), path, "is a set and cannot hold a dynamic type");
            }
            Shape::Nested(nesting, inner) => {
                if *nesting == Nesting::Set {
                    let dynamic = inner.iter().any(|attribute| attribute.implied_type().has_dynamic());
                    self.when(dynamic, path, "is a set and cannot hold a dynamic type");
                    let write_only = inner.iter().any(Attribute::has_write_only);
                    self.when(write_only, path, "is a set and cannot hold write-only attributes");
                }
                self.attributes(inner, path);
                self.0.extend(
                    attribute.nested().into_iter().flat_map(|(_, inner)| inner.behaviour_faults(path)),
                );
            }
        }
    }
}

impl Type {
    /// Whether there is a set somewhere in it whose elements may differ in type: Terraform has no such sets.
    pub(crate) fn has_dynamic_set(&self) -> bool {
        match self {
            Self::Set(element) => element.has_dynamic(),
            Self::List(element) | Self::Map(element) | Self::Optional(element) => element.has_dynamic_set(),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic_set),
            Self::Object(attributes) => attributes.values().any(Self::has_dynamic_set),
            Self::Dynamic | Self::Bool | Self::Number | Self::String => false,
        }
    }
}

impl Block {
    pub(crate) fn has_write_only(&self) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &Schema, expected: &[&str]) {
        let faults: Vec<_> = schema.check().iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    fn with(attribute: Attribute) -> Schema {
        Schema::new().attribute(attribute)
    }

    fn with_block(block: NestedBlock) -> Schema {
        Schema::new().block(block)
    }

    fn secret() -> Attribute {
        Attribute::optional("secret", Type::String).write_only()
    }

    #[test]
    fn sound_schemas_have_no_faults() {
        let inner = Block::new().attribute(secret());
        let schema = with(Attribute::optional_computed("a", Type::Dynamic))
            .attribute(Attribute::required("n", Shape::map([secret()])))
            .block(NestedBlock::single("s", inner.clone()).min_items(1))
            .block(NestedBlock::list("l", inner.clone()).min_items(1).max_items(2))
            .block(NestedBlock::set("t", Block::new()).min_items(1))
            .block(NestedBlock::group("g", inner));
        check(&schema, &[]);
    }

    #[test]
    fn attributes() {
        check(&with(Attribute::optional("Name", Type::Bool)), &["`Name` may consist of a-z, 0-9 and _ only"]);
        let twice =
            with(Attribute::optional("a", Type::Bool)).attribute(Attribute::computed("a", Type::Bool));
        check(&twice, &["`a` is there twice"]);
        let computed = Attribute::computed("a", Type::String).write_only();
        check(&with(computed), &["`a` is write-only and cannot be computed"]);
        let dynamic = Type::list(Type::set(Type::object([("x", Type::Dynamic)])));
        check(&with(Attribute::optional("a", dynamic)), &["`a` is a set and cannot hold a dynamic type"]);
        let set = Shape::set([Attribute::optional("d", Type::Dynamic), secret()]);
        let faults = [
            "`a` is a set and cannot hold a dynamic type",
            "`a` is a set and cannot hold write-only attributes",
        ];
        check(&with(Attribute::optional("a", set)), &faults);
    }

    #[test]
    fn blocks() {
        let block = Block::new;
        check(&with_block(NestedBlock::single("b", block()).min_items(2)), &["`b` occurs once at most"]);
        check(&with_block(NestedBlock::map("b", block()).min_items(1)), &["`b` cannot be counted"]);
        check(&with_block(NestedBlock::group("b", block()).max_items(1)), &["`b` cannot be counted"]);
        let list = NestedBlock::list("b", block()).min_items(3).max_items(2);
        check(&with_block(list), &["`b` must occur more often than it may"]);
        let set = NestedBlock::set("b", block().attribute(secret()));
        check(&with_block(set), &["`b` is a set and cannot hold write-only attributes"]);
        let deep = NestedBlock::list("b", block().block(NestedBlock::single("in-ner", block())));
        check(&with_block(deep), &["`b.in-ner` may consist of a-z, 0-9 and _ only"]);
        let both = with(Attribute::optional("b", Type::Bool)).block(NestedBlock::list("b", block()));
        check(&both, &["`b` is there twice"]);
    }

    #[test]
    fn computed_blocks() {
        let computed = || Block::new().attribute(Attribute::computed("c", Type::Bool));
        let inner = NestedBlock::list("i", computed()).computed();
        check(&with_block(NestedBlock::map("b", computed().block(inner)).computed()), &[]);
        let of_user = computed().attribute(Attribute::optional("o", Type::Bool));
        let of_user = of_user.block(NestedBlock::list("i", computed()));
        let faults = [
            "`b` is computed and cannot be demanded of the user",
            "`b.o` is in a computed block and must be computed, too",
            "`b.i` is in a computed block and must be computed, too",
        ];
        check(&with_block(NestedBlock::list("b", of_user).min_items(1).computed()), &faults);
        let group = with_block(NestedBlock::group("b", computed()).computed());
        check(&group, &["`b` is a group and cannot be computed"]);
    }

    #[test]
    fn deprecation_says_what_to_use() {
        let old = || Attribute::optional("a", Type::Bool);
        check(&with(old().deprecated("Use b.")), &[]);
        let faults = [
            "`a` is deprecated and does not say what to use instead",
            "`b` is deprecated and does not say what to use instead",
        ];
        let block = NestedBlock::list("b", Block::new()).deprecated("");
        check(&with(old().deprecated("")).block(block), &faults);
    }

    #[test]
    fn identities() {
        let identity = IdentitySchema::new()
            .required("a", Type::String, "")
            .optional("l", Type::list(Type::String), "")
            .required("m", Type::map(Type::String), "");
        let faults: Vec<_> = identity.check().iter().map(ToString::to_string).collect();
        assert_eq!(faults, ["`m` must be a primitive or a list of primitives"]);
    }
}
