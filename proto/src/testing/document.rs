//! A provider's schema in the form of `terraform providers schema -json`, made from its own answers.
//!
//! It is what the newest Terraform prints, so documentation can be generated on a machine that has an older one.

use crate::wire::tfplugin6::{
    Function, ResourceIdentitySchema, Schema, StringKind,
    function::Parameter,
    get_provider_schema,
    schema::{Attribute, Block, NestedBlock},
};
use serde_json::{Map, Value, json};

/// What `terraform providers schema -json` prints of one provider, under its address.
pub fn document(
    address: &str,
    schema: &get_provider_schema::Response,
    identities: impl IntoIterator<Item = (String, ResourceIdentitySchema)>,
) -> Value {
    let actions = schema.action_schemas.iter().map(|(name, action)| {
        let block = action.schema.as_ref().and_then(|schema| schema.block.as_ref());
        (name.clone(), object([("block", block.map_or(Value::Null, self::block))]))
    });
    let provider = object([
        ("provider", schema.provider.as_ref().map_or(Value::Null, one)),
        ("resource_schemas", named(&schema.resource_schemas, one)),
        ("data_source_schemas", named(&schema.data_source_schemas, one)),
        ("ephemeral_resource_schemas", named(&schema.ephemeral_resource_schemas, one)),
        ("list_resource_schemas", named(&schema.list_resource_schemas, one)),
        ("state_store_schemas", named(&schema.state_store_schemas, one)),
        ("functions", named(&schema.functions, function)),
        ("action_schemas", actions.collect()),
        (
            "resource_identity_schemas",
            identities.into_iter().map(|(name, schema)| (name, identity(&schema))).collect(),
        ),
    ]);
    json!({ "format_version": "1.0", "provider_schemas": { address: provider } })
}

fn named<'a, T: 'a>(schemas: impl IntoIterator<Item = (&'a String, &'a T)>, show: fn(&T) -> Value) -> Value {
    schemas.into_iter().map(|(name, schema)| (name.clone(), show(schema))).collect()
}

fn one(schema: &Schema) -> Value {
    json!({ "version": schema.version, "block": schema.block.as_ref().map(block) })
}

fn block(block: &Block) -> Value {
    object([
        ("attributes", block.attributes.iter().map(|one| (one.name.clone(), attribute(one))).collect()),
        ("block_types", block.block_types.iter().map(|one| (one.type_name.clone(), nested(one))).collect()),
        ("description", block.description.as_str().into()),
        ("description_kind", kind(block.description_kind())),
        ("deprecated", block.deprecated.into()),
        ("deprecation_message", block.deprecation_message.as_str().into()),
    ])
}

fn nested(nested: &NestedBlock) -> Value {
    object([
        ("nesting_mode", nested.nesting().as_str_name().to_lowercase().into()),
        ("block", nested.block.as_ref().map_or(Value::Null, block)),
        ("min_items", nested.min_items.into()),
        ("max_items", nested.max_items.into()),
    ])
}

fn attribute(attribute: &Attribute) -> Value {
    let nested = attribute.nested_type.as_ref().map_or(Value::Null, |nested| {
        let attributes = nested.attributes.iter().map(|one| (one.name.clone(), self::attribute(one)));
        object([
            ("attributes", attributes.collect()),
            ("nesting_mode", nested.nesting().as_str_name().to_lowercase().into()),
        ])
    });
    object([
        ("type", type_of(&attribute.r#type)),
        ("nested_type", nested),
        ("description", attribute.description.as_str().into()),
        ("description_kind", kind(attribute.description_kind())),
        ("deprecated", attribute.deprecated.into()),
        ("deprecation_message", attribute.deprecation_message.as_str().into()),
        ("required", attribute.required.into()),
        ("optional", attribute.optional.into()),
        ("computed", attribute.computed.into()),
        ("sensitive", attribute.sensitive.into()),
        ("write_only", attribute.write_only.into()),
    ])
}

fn identity(schema: &ResourceIdentitySchema) -> Value {
    let attributes = schema.identity_attributes.iter().map(|attribute| {
        let shown = object([
            ("type", type_of(&attribute.r#type)),
            ("description", attribute.description.as_str().into()),
            ("required_for_import", attribute.required_for_import.into()),
            ("optional_for_import", attribute.optional_for_import.into()),
        ]);
        (attribute.name.clone(), shown)
    });
    json!({ "version": schema.version, "attributes": attributes.collect::<Value>() })
}

fn function(function: &Function) -> Value {
    object([
        ("description", function.description.as_str().into()),
        ("summary", function.summary.as_str().into()),
        ("deprecation_message", function.deprecation_message.as_str().into()),
        ("return_type", function.r#return.as_ref().map_or(Value::Null, |result| type_of(&result.r#type))),
        ("parameters", function.parameters.iter().map(parameter).collect()),
        ("variadic_parameter", function.variadic_parameter.as_ref().map_or(Value::Null, parameter)),
    ])
}

fn parameter(parameter: &Parameter) -> Value {
    object([
        ("name", parameter.name.as_str().into()),
        ("description", parameter.description.as_str().into()),
        ("is_nullable", parameter.allow_null_value.into()),
        ("type", type_of(&parameter.r#type)),
    ])
}

fn type_of(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}

fn kind(kind: StringKind) -> Value {
    match kind {
        StringKind::Plain => "plain".into(),
        StringKind::Markdown => "markdown".into(),
    }
}

/// An object without members that say nothing, as Terraform prints them.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        other => *other == json!(0),
    };
    let kept = members.into_iter().filter(|(_, value)| !empty(value));
    Value::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
