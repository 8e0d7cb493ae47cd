//! What a provider publishes about itself, read as Terraform reads it.

use std::collections::BTreeMap;

use crate::{
    Attribute, Block, IdentitySchema, NestedBlock, Parameter, Schema, Shape, Signature, Type,
    wire::tfplugin6::{
        self as wire, ServerCapabilities, function,
        schema::{nested_block, object},
    },
};

/// All schemas of a provider, by name, and what it says it can do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published {
    /// Of its configuration.
    pub provider: Schema,
    /// Of `provider_meta` blocks, if it has one.
    pub meta: Option<Schema>,
    /// Of managed resources.
    pub resources: BTreeMap<String, Schema>,
    /// Of data sources.
    pub data_sources: BTreeMap<String, Schema>,
    /// Of ephemeral resources.
    pub ephemeral_resources: BTreeMap<String, Schema>,
    /// Of the configurations of list resources.
    pub list_resources: BTreeMap<String, Schema>,
    /// Of the configurations of actions.
    pub actions: BTreeMap<String, Schema>,
    /// Of the configurations of state stores.
    pub state_stores: BTreeMap<String, Schema>,
    /// Functions.
    pub functions: BTreeMap<String, Signature>,
    /// Of the identities of managed resources.
    pub identities: BTreeMap<String, IdentitySchema>,
    /// Whether it is asked about destroying.
    pub plans_destroy: bool,
}

impl Published {
    pub(super) fn read(
        sent: wire::get_provider_schema::Response,
        identities: wire::get_resource_identity_schemas::Response,
    ) -> Result<Self, String> {
        let actions = sent.action_schemas.into_iter();
        let actions = actions.map(|(name, action)| (name, action.schema.unwrap_or_default()));
        let capabilities: ServerCapabilities = sent.server_capabilities.unwrap_or_default();
        Ok(Self {
            provider: schema(&sent.provider.unwrap_or_default())?,
            meta: sent.provider_meta.as_ref().map(schema).transpose()?,
            resources: all(sent.resource_schemas, schema)?,
            data_sources: all(sent.data_source_schemas, schema)?,
            ephemeral_resources: all(sent.ephemeral_resource_schemas, schema)?,
            list_resources: all(sent.list_resource_schemas, schema)?,
            actions: all(actions, schema)?,
            state_stores: all(sent.state_store_schemas, schema)?,
            functions: all(sent.functions, signature)?,
            identities: all(identities.identity_schemas, identity)?,
            plans_destroy: capabilities.plan_destroy,
        })
    }

    /// All faults Terraform would find in the schemas when it loads the provider.
    pub fn faults(&self) -> Vec<String> {
        let kinds = [&self.resources, &self.data_sources, &self.ephemeral_resources];
        let kinds = kinds.into_iter().chain([&self.list_resources, &self.actions, &self.state_stores]);
        let schemas = kinds.flatten().map(|(name, schema)| (name.as_str(), schema.check()));
        let identities = self.identities.iter().map(|(name, schema)| (name.as_str(), schema.check()));
        let all = schemas.chain(identities).chain([("provider", self.provider.check())]);
        all.flat_map(|(name, faults)| faults.into_iter().map(move |fault| format!("{name}: {fault}")))
            .collect()
    }
}

fn all<T, U>(
    sent: impl IntoIterator<Item = (String, T)>,
    read: fn(&T) -> Result<U, String>,
) -> Result<BTreeMap<String, U>, String> {
    let read = |(name, one)| read(&one).map_err(|fault| format!("{name}: {fault}")).map(|one| (name, one));
    sent.into_iter().map(read).collect()
}

fn schema(sent: &wire::Schema) -> Result<Schema, String> {
    let block = sent.block.as_ref().ok_or("a schema without content")?;
    let schema = Schema::new().version(u32::try_from(sent.version).map_err(|_| "a version below 0")?);
    let content = content(block)?;
    let schema = content.attributes().iter().cloned().fold(schema, Schema::attribute);
    let schema = content.blocks().iter().cloned().fold(schema, Schema::block).describe(&block.description);
    Ok(if block.deprecated { schema.deprecated(&block.deprecation_message) } else { schema })
}

fn content(sent: &wire::schema::Block) -> Result<Block, String> {
    let mut block = Block::new().describe(&sent.description);
    for one in &sent.attributes {
        block = block.attribute(attribute(one)?);
    }
    for one in &sent.block_types {
        block = block.block(nested(one)?);
    }
    Ok(block)
}

fn attribute(sent: &wire::schema::Attribute) -> Result<Attribute, String> {
    let name = sent.name.as_str();
    let shape = match (&sent.nested_type, sent.r#type.is_empty()) {
        (None, false) => kind(&sent.r#type)?.into(),
        (Some(object), true) => members(object)?,
        _ => return Err(format!("`{name}` has a type and nested attributes, or neither")),
    };
    let attribute = match (sent.required, sent.optional, sent.computed) {
        (true, false, false) => Attribute::required(name, shape),
        (false, true, false) => Attribute::optional(name, shape),
        (false, true, true) => Attribute::optional_computed(name, shape),
        (false, false, true) => Attribute::computed(name, shape),
        _ => return Err(format!("`{name}` is required, optional and computed in a way that cannot be")),
    };
    let attribute = attribute.describe(&sent.description);
    let attribute = if sent.sensitive { attribute.sensitive() } else { attribute };
    let attribute = if sent.write_only { attribute.write_only() } else { attribute };
    Ok(if sent.deprecated { attribute.deprecated(&sent.deprecation_message) } else { attribute })
}

fn members(sent: &wire::schema::Object) -> Result<Shape, String> {
    use object::NestingMode;
    let inner: Vec<_> = sent.attributes.iter().map(attribute).collect::<Result<_, _>>()?;
    Ok(match sent.nesting() {
        NestingMode::Single => Shape::single(inner),
        NestingMode::List => Shape::list(inner),
        NestingMode::Set => Shape::set(inner),
        NestingMode::Map => Shape::map(inner),
        NestingMode::Invalid => return Err("nested attributes without a mode".to_owned()),
    })
}

fn nested(sent: &wire::schema::NestedBlock) -> Result<NestedBlock, String> {
    use nested_block::NestingMode;
    let name = sent.type_name.as_str();
    let inner = sent.block.as_ref().ok_or_else(|| format!("the block `{name}` has no content"))?;
    let block = match sent.nesting() {
        NestingMode::Single => NestedBlock::single(name, content(inner)?),
        NestingMode::List => NestedBlock::list(name, content(inner)?),
        NestingMode::Set => NestedBlock::set(name, content(inner)?),
        NestingMode::Map => NestedBlock::map(name, content(inner)?),
        NestingMode::Group => NestedBlock::group(name, content(inner)?),
        NestingMode::Invalid => return Err(format!("the block `{name}` has no mode")),
    };
    let count =
        |items: i64| u32::try_from(items).map_err(|_| format!("the block `{name}` has a count below 0"));
    let block = block.min_items(count(sent.min_items)?);
    // Of a single block both counts are the same; ours keeps the lower one.
    let single = sent.nesting() == NestingMode::Single;
    let block = if single { block } else { block.max_items(count(sent.max_items)?) };
    Ok(if inner.computed { block.computed() } else { block })
}

fn identity(sent: &wire::ResourceIdentitySchema) -> Result<IdentitySchema, String> {
    let version = u32::try_from(sent.version).map_err(|_| "a version below 0")?;
    sent.identity_attributes.iter().try_fold(IdentitySchema::new().version(version), |schema, one| {
        let kind = kind(&one.r#type)?;
        Ok(match (one.required_for_import, one.optional_for_import) {
            (true, false) => schema.required(&one.name, kind, &one.description),
            (false, true) => schema.optional(&one.name, kind, &one.description),
            _ => return Err(format!("`{}` is required and optional for import, or neither", one.name)),
        })
    })
}

fn signature(sent: &wire::Function) -> Result<Signature, String> {
    let result = sent.r#return.as_ref().ok_or("a function without result")?;
    let signature = Signature::new(kind(&result.r#type)?).summary(&sent.summary).describe(&sent.description);
    let signature = sent
        .parameters
        .iter()
        .try_fold(signature, |signature, one| Ok::<_, String>(signature.parameter(parameter(one)?)))?;
    Ok(match &sent.variadic_parameter {
        Some(variadic) => signature.variadic(parameter(variadic)?),
        None => signature,
    })
}

fn parameter(sent: &function::Parameter) -> Result<Parameter, String> {
    let parameter = Parameter::new(&sent.name, kind(&sent.r#type)?).describe(&sent.description);
    let parameter = if sent.allow_null_value { parameter.nullable() } else { parameter };
    Ok(if sent.allow_unknown_values { parameter.takes_unknown() } else { parameter })
}

fn kind(json: &[u8]) -> Result<Type, String> {
    let json = serde_json::from_slice(json).map_err(|error| format!("a type that is no JSON: {error}"))?;
    Type::from_json(&json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_come_back_as_they_went() {
        let inner =
            || [Attribute::optional("a", Type::list(Type::String)), Attribute::computed("c", Type::Dynamic)];
        let block = || Block::new().describe("Inside.").attribute(Attribute::optional("a", Type::Number));
        let filled = Block::new().attribute(Attribute::computed("c", Type::Bool));
        let schema = Schema::new()
            .version(3)
            .describe("All of it.")
            .deprecated("Use another.")
            .attribute(Attribute::required("r", Type::String).sensitive().describe("Said."))
            .attribute(Attribute::optional("w", Type::String).write_only().deprecated("No."))
            .attribute(Attribute::optional_computed("both", Type::map(Type::Bool)))
            .attribute(Attribute::optional("single", Shape::single(inner())))
            .attribute(Attribute::optional("list", Shape::list(inner())))
            .attribute(Attribute::optional("map", Shape::map(inner())))
            .attribute(Attribute::optional("set", Shape::set([Attribute::optional("a", Type::Bool)])))
            .block(NestedBlock::single("one", block()).min_items(1))
            .block(NestedBlock::list("rows", block()).min_items(1).max_items(4))
            .block(NestedBlock::set("bag", block()))
            .block(NestedBlock::map("named", block()))
            .block(NestedBlock::group("always", block()))
            .block(NestedBlock::list("filled", filled).computed());
        assert_eq!(super::schema(&schema.to_wire()).unwrap(), schema);

        let named =
            IdentitySchema::new().version(2).required("a", Type::String, "A.").optional("b", Type::Bool, "");
        assert_eq!(identity(&named.to_wire()).unwrap(), named);
    }

    #[test]
    fn what_terraform_would_stumble_over_is_named() {
        let typed = |kind: &str| wire::schema::Attribute {
            name: "a".to_owned(),
            r#type: kind.as_bytes().to_vec(),
            ..Default::default()
        };
        let optional = |kind| wire::schema::Attribute { optional: true, ..typed(kind) };
        for (attribute, expected) in [
            (typed("\"string\""), "`a` is required, optional and computed in a way that cannot be"),
            (optional("\"text\""), "not a type in Terraform's JSON form: \"text\""),
            (optional(""), "`a` has a type and nested attributes, or neither"),
        ] {
            assert_eq!(super::attribute(&attribute).unwrap_err(), expected);
        }
        assert_eq!(super::schema(&wire::Schema::default()).unwrap_err(), "a schema without content");
        assert_eq!(signature(&wire::Function::default()).unwrap_err(), "a function without result");
    }
}
