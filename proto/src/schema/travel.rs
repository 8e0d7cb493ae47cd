//! Schemas in the form they travel in.

use super::{
    Attribute, Block, IdentitySchema, Mode, NestedBlock, Nesting, Notes, Schema, Shape, block::BlockNesting,
};
use crate::wire::tfplugin6::{
    self as wire, StringKind, resource_identity_schema as identity,
    schema::{nested_block, object},
};

impl Schema {
    /// The version of the form that is written.
    pub(crate) fn current_version(&self) -> i64 {
        self.version.into()
    }

    pub(crate) fn to_wire(&self) -> wire::Schema {
        let version = i64::from(self.version);
        let block = wire::schema::Block { version, ..self.block.to_wire() };
        wire::Schema { version, block: Some(block) }
    }
}

impl IdentitySchema {
    /// The version of the form that is written.
    pub(crate) fn current_version(&self) -> i64 {
        self.version.into()
    }

    pub(crate) fn to_wire(&self) -> wire::ResourceIdentitySchema {
        let attributes = self.attributes.iter().map(|(name, attribute)| identity::IdentityAttribute {
            name: name.clone(),
            r#type: attribute.kind.to_json().to_string().into_bytes(),
            required_for_import: attribute.required,
            optional_for_import: !attribute.required,
            description: attribute.description.clone(),
        });
        wire::ResourceIdentitySchema {
            version: i64::from(self.version),
            identity_attributes: attributes.collect(),
        }
    }
}

impl Block {
    fn to_wire(&self) -> wire::schema::Block {
        wire::schema::Block {
            version: 0,
            attributes: self.attributes.iter().map(Attribute::to_wire).collect(),
            block_types: self.blocks.iter().map(NestedBlock::to_wire).collect(),
            description: self.notes.description.clone(),
            description_kind: StringKind::Markdown.into(),
            deprecated: self.notes.deprecated.is_some(),
            deprecation_message: self.notes.message(),
            computed: false,
        }
    }
}

impl Attribute {
    fn to_wire(&self) -> wire::schema::Attribute {
        let (kind, nested) = match &self.shape {
            Shape::Type(kind) => (kind.to_json().to_string().into_bytes(), None),
            Shape::Nested(nesting, attributes) => {
                let object = wire::schema::Object {
                    attributes: attributes.iter().map(Self::to_wire).collect(),
                    nesting: nesting.to_wire().into(),
                    ..Default::default()
                };
                (Vec::new(), Some(object))
            }
        };
        wire::schema::Attribute {
            name: self.name.clone(),
            r#type: kind,
            nested_type: nested,
            description: self.notes.description.clone(),
            description_kind: StringKind::Markdown.into(),
            required: self.mode == Mode::Required,
            optional: matches!(self.mode, Mode::Optional | Mode::OptionalComputed),
            computed: self.is_computed(),
            sensitive: self.sensitive,
            write_only: self.write_only,
            deprecated: self.notes.deprecated.is_some(),
            deprecation_message: self.notes.message(),
        }
    }
}

impl NestedBlock {
    fn to_wire(&self) -> wire::schema::NestedBlock {
        use nested_block::NestingMode;
        let (nesting, single) = match self.nesting {
            BlockNesting::Of(Nesting::Single) => (NestingMode::Single, true),
            BlockNesting::Of(Nesting::List) => (NestingMode::List, false),
            BlockNesting::Of(Nesting::Set) => (NestingMode::Set, false),
            BlockNesting::Of(Nesting::Map) => (NestingMode::Map, false),
            BlockNesting::Group => (NestingMode::Group, false),
        };
        wire::schema::NestedBlock {
            type_name: self.name.clone(),
            block: Some(wire::schema::Block { computed: self.computed, ..self.block.to_wire() }),
            nesting: nesting.into(),
            min_items: self.min_items.into(),
            // Of a single block both counts are the same: 1 if it is required, else 0.
            max_items: if single { self.min_items } else { self.max_items }.into(),
        }
    }
}

impl Nesting {
    fn to_wire(self) -> object::NestingMode {
        match self {
            Self::Single => object::NestingMode::Single,
            Self::List => object::NestingMode::List,
            Self::Set => object::NestingMode::Set,
            Self::Map => object::NestingMode::Map,
        }
    }
}

impl Notes {
    fn message(&self) -> String {
        self.deprecated.clone().unwrap_or_default()
    }
}
