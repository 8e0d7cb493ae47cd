//! Defaults inside nested attributes and blocks.

use tfplugin_rs::{Attribute, Block, NestedBlock, Schema, Shape, Type, Value};

use crate::keeper::Keeper;

/// `corner_defaults`: wherever an element leaves something out, it gets a default.
pub(crate) fn resource() -> Keeper {
    let attributes = || {
        [
            Attribute::optional("value", Type::String).default("zero"),
            Attribute::optional("other", Type::String).default("the default"),
        ]
    };
    let block = || attributes().into_iter().fold(Block::new(), Block::attribute);
    let top = Value::list(["of".into(), "the".into(), "top".into()]);
    let schema = Schema::new()
        .attribute(Attribute::optional("list", Shape::list(attributes())))
        .attribute(Attribute::optional("map", Shape::map(attributes())))
        .attribute(Attribute::optional("set", Shape::set(attributes())))
        .attribute(Attribute::optional("single", Shape::single(attributes())))
        .attribute(Attribute::optional("top", Type::list(Type::String)).default(top))
        .block(NestedBlock::list("list_block", block()))
        .block(NestedBlock::set("set_block", block()))
        .block(NestedBlock::single("single_block", block()));
    Keeper::new("corner_defaults", schema)
}
