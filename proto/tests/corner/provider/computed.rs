//! Every kind of attribute twice: once configured, once computed.

use tfplugin_rs::{Attribute, Block, NestedBlock, Schema, Shape, Type, Value};

use crate::keeper::Keeper;

/// `corner_computed`.
pub(crate) fn resource() -> Keeper {
    Keeper::new("corner_computed", schema()).deciding(|_, path| Ok(decide(path)))
}

fn schema() -> Schema {
    let schema = shapes().into_iter().fold(Schema::new(), |schema, (name, shape)| {
        schema
            .attribute(Attribute::optional(&format!("config_{name}"), shape.clone()))
            .attribute(Attribute::computed(&format!("computed_{name}"), shape))
    });
    let text = |text: Attribute| Block::new().attribute(text);
    let id = Attribute::computed("id", Type::String).depends_on(["text"]);
    let parts = Shape::set([Attribute::required("text", Type::String), id]);
    schema
        .attribute(Attribute::optional("parts", parts))
        .block(NestedBlock::set("config_block", text(Attribute::optional("text", Type::String))))
        .block(NestedBlock::list("computed_block", text(Attribute::computed("text", Type::String))))
}

fn shapes() -> Vec<(&'static str, Shape)> {
    let nested = || [Attribute::optional("text", Type::String)];
    vec![
        ("bool", Type::Bool.into()),
        ("dynamic", Type::Dynamic.into()),
        ("list", Type::list(Type::String).into()),
        ("map", Type::map(Type::String).into()),
        ("map_nested", Shape::map(nested())),
        ("number", Type::Number.into()),
        ("object", Type::object([("text", Type::String)]).into()),
        ("single_nested", Shape::single(nested())),
        ("string", Type::String.into()),
    ]
}

fn decide(path: &str) -> Value {
    let text = |text: &str| Value::object([("text", text.into())]);
    match path {
        "computed_bool" => true.into(),
        "computed_dynamic" => Value::Dynamic(Type::String, Box::new("dynamic".into())),
        "computed_list" => Value::list(["computed".into(), "list".into()]),
        "computed_map" => Value::object([("a", "one"), ("b", "two")].map(|(key, text)| (key, text.into()))),
        "computed_map_nested" => Value::object([("a", text("one")), ("b", text("two"))]),
        "computed_number" => Value::Number("1.2".parse().expect("it is a number")),
        "computed_object" => text("object"),
        "computed_single_nested" => text("nested"),
        "computed_string" => "computed".into(),
        part if part.starts_with("parts") => "made".into(),
        block => format!("decided for {block}").into(),
    }
}
