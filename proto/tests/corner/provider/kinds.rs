//! One attribute or block of every kind a schema can have, none of them required.

use tfplugin_rs::{
    Attribute, Block, DataSource, Diagnostics, NestedBlock, ReadDataRequest, ReadDataResponse, Schema, Shape,
    Type, async_trait,
};

use crate::keeper::Keeper;

/// `corner_kinds`, the resource.
pub(crate) fn resource() -> Keeper {
    Keeper::new("corner_kinds", schema())
}

/// `corner_kinds`, the data source: gives its configuration back.
pub(crate) struct Kinds;

#[async_trait]
impl DataSource for Kinds {
    fn type_name(&self) -> &'static str {
        "corner_kinds"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        Ok(ReadDataResponse { state: request.config, ..ReadDataResponse::default() })
    }
}

pub(crate) fn schema() -> Schema {
    let attributes = [
        ("bool", Type::Bool),
        ("dynamic", Type::Dynamic),
        ("list", Type::list(Type::String)),
        ("map", Type::map(Type::String)),
        ("number", Type::Number),
        ("object", Type::object([("text", Type::String)])),
        ("object_with_dynamic", Type::object([("any", Type::Dynamic)])),
        ("set", Type::set(Type::String)),
        ("string", Type::String),
        ("tuple", Type::Tuple(vec![Type::String, Type::Number])),
    ];
    let schema = attributes
        .into_iter()
        .fold(Schema::new(), |schema, (name, kind)| schema.attribute(Attribute::optional(name, kind)));
    let text = || [Attribute::optional("text", Type::String)];
    let nested = [
        ("list_nested", Shape::list(text())),
        ("map_nested", Shape::map(text())),
        ("map_nested_with_dynamic", Shape::map(any())),
        ("set_nested", Shape::set(text())),
        ("single_nested", Shape::single(text())),
        ("single_nested_with_dynamic", Shape::single(any())),
    ];
    let schema = nested
        .into_iter()
        .fold(schema, |schema, (name, shape)| schema.attribute(Attribute::optional(name, shape)));
    blocks().into_iter().fold(schema, Schema::block)
}

fn any() -> [Attribute; 1] {
    [Attribute::optional("any", Type::Dynamic)]
}

fn blocks() -> Vec<NestedBlock> {
    let text = || Block::new().attribute(Attribute::optional("text", Type::String));
    let any = || any().into_iter().fold(Block::new(), Block::attribute);
    vec![
        NestedBlock::group("group_block", text()),
        NestedBlock::list("list_block", text()),
        NestedBlock::list("list_block_with_dynamic", any()),
        NestedBlock::map("map_block", text()),
        NestedBlock::map("map_block_with_dynamic", any()),
        NestedBlock::set("set_block", text()),
        NestedBlock::single("single_block", text()),
        NestedBlock::single("single_block_with_dynamic", any()),
    ]
}
