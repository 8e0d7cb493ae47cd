//! Values and diagnostics as they travel, from the client's side.

use tonic::{Response, Status};

use crate::{
    Block, Deferral, Diagnostic, Diagnostics, IdentitySchema, NestedBlock, Nesting, Path, Schema, Severity,
    Step, Type, Value,
    check::Fault,
    wire::tfplugin6::{
        self as wire, AttributePath, Deferred, DynamicValue, ResourceIdentityData, attribute_path,
        deferred::Reason,
    },
};

/// What a call answers; failures of the call itself are the provider's, for those have to be diagnostics.
pub(super) async fn answer<T>(
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Diagnostics> {
    let failed = |status: Status| Diagnostic::error("Plugin error", status.to_string()).into();
    call.await.map(Response::into_inner).map_err(failed)
}

/// Errors, or else the warnings.
pub(super) fn outcome(sent: Vec<wire::Diagnostic>) -> Result<Diagnostics, Diagnostics> {
    let diagnostics: Diagnostics = sent.into_iter().map(diagnostic).collect();
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(diagnostics) }
}

fn diagnostic(sent: wire::Diagnostic) -> Diagnostic {
    let severity = match sent.severity() {
        wire::diagnostic::Severity::Warning => Severity::Warning,
        wire::diagnostic::Severity::Error | wire::diagnostic::Severity::Invalid => Severity::Error,
    };
    let attribute = sent.attribute.as_ref().map(path);
    Diagnostic { severity, summary: sent.summary, detail: sent.detail, attribute }
}

pub(super) fn path(sent: &AttributePath) -> Path {
    use attribute_path::step::Selector;
    let steps = sent.steps.iter().filter_map(|step| step.selector.clone());
    steps.fold(Path::root(), |path, step| {
        path.then(match step {
            Selector::AttributeName(name) => Step::Attribute(name),
            Selector::ElementKeyString(key) => Step::Key(key),
            Selector::ElementKeyInt(index) => Step::Index(usize::try_from(index).unwrap_or(usize::MAX)),
        })
    })
}

/// Broken rules, in Terraform's words for them.
pub(super) fn judge(summary: &str, faults: &[Fault]) -> Result<(), Diagnostics> {
    let faults = faults.iter().map(|fault| {
        Diagnostic::error(summary, format!("This is a bug in the provider: {fault}.")).at(fault.path.clone())
    });
    let faults: Diagnostics = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

pub(super) fn bug(summary: &str, detail: impl Into<String>) -> Diagnostics {
    Diagnostic::error(summary, detail).into()
}

pub(super) fn deferral(sent: Option<Deferred>) -> Option<Deferral> {
    Some(match sent?.reason() {
        Reason::ResourceConfigUnknown | Reason::Unknown => Deferral::ResourceConfigUnknown,
        Reason::ProviderConfigUnknown => Deferral::ProviderConfigUnknown,
        Reason::AbsentPrereq => Deferral::AbsentPrerequisite,
    })
}

/// A configuration in the form it travels in; write-only values stay, blocks that the provider may fill
/// are null where none is written.
pub(super) fn complete_config(schema: &Schema, config: Value) -> Value {
    if config.is_null() {
        return config;
    }
    let complete = schema.complete(config.clone()).expect("the configuration does not fit the schema");
    let complete = complete.map(&mut |path, value| match schema.attribute_at(path) {
        Some(attribute) if attribute.is_write_only() && value.is_null() => config.at(path).clone(),
        _ => value,
    });
    unwritten(schema.top(), complete)
}

/// Tells blocks that the provider may fill, and nobody wrote, from those that are to be empty.
fn unwritten(block: &Block, value: Value) -> Value {
    let Value::Map(mut members) = value else { return value };
    for nested in block.blocks() {
        let member = members.remove(nested.name()).unwrap_or_default();
        let none = member.as_list().is_some_and(<[Value]>::is_empty)
            || member.as_map().is_some_and(|map| map.is_empty() && nested.nesting() == Some(Nesting::Map));
        let member = if nested.is_computed() && none { Value::Null } else { elements_of(nested, member) };
        members.insert(nested.name().to_owned(), member);
    }
    Value::Map(members)
}

fn elements_of(nested: &NestedBlock, value: Value) -> Value {
    let each = |element| unwritten(nested.content(), element);
    match (nested.nesting(), value) {
        (_, Value::List(elements)) => Value::list(elements.into_iter().map(each)),
        (Some(Nesting::Map), Value::Map(members)) => {
            Value::object(members.into_iter().map(|(key, member)| (key, each(member))))
        }
        (_, value) => each(value),
    }
}

pub(super) fn encode(schema: &Schema, value: Value) -> DynamicValue {
    let value = schema.complete(value).expect("the value does not fit the schema");
    encode_as(&schema.implied_type(), &value)
}

pub(super) fn encode_config(schema: &Schema, config: &Value) -> DynamicValue {
    encode_as(&schema.implied_type(), config)
}

pub(super) fn encode_as(kind: &Type, value: &Value) -> DynamicValue {
    let msgpack = value.to_msgpack(kind).expect("the value is not of its type");
    DynamicValue { msgpack, json: Vec::new() }
}

pub(super) fn encode_identity(
    schema: Option<&IdentitySchema>,
    identity: Option<&Value>,
) -> Option<ResourceIdentityData> {
    let identity =
        identity?.clone().conform(&schema?.implied_type()).expect("the identity does not fit its schema");
    Some(ResourceIdentityData { identity_data: Some(encode_as(&schema?.implied_type(), &identity)) })
}

/// Reads a value; none is null.
pub(super) fn decode(kind: &Type, sent: Option<DynamicValue>) -> Result<Value, Diagnostics> {
    let DynamicValue { msgpack, json } = sent.unwrap_or_default();
    if msgpack.is_empty() && json.is_empty() {
        return Ok(Value::Null);
    }
    if msgpack.is_empty() {
        // Some clients fail on it with a bare "EOF".
        return Err(bug("Provider produced invalid object", "It is in JSON and not in msgpack."));
    }
    Value::from_msgpack(&msgpack, kind)
        .map_err(|error| bug("Provider produced invalid object", error.to_string()))
}

pub(super) fn decode_identity(
    schema: Option<&IdentitySchema>,
    sent: Option<ResourceIdentityData>,
) -> Result<Option<Value>, Diagnostics> {
    let (Some(schema), Some(sent)) = (schema, sent) else { return Ok(None) };
    let identity = decode(&schema.implied_type(), sent.identity_data)?;
    Ok(Some(identity).filter(|identity| !identity.is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attribute;

    #[test]
    fn blocks_nobody_wrote_are_left_to_the_provider() {
        let content = || Block::new().attribute(Attribute::computed("a", Type::Bool));
        let filled = || NestedBlock::list("filled", content()).computed();
        let schema = Schema::new()
            .attribute(Attribute::optional("secret", Type::String).write_only())
            .block(filled())
            .block(NestedBlock::list("rows", Block::new().block(filled())))
            .block(NestedBlock::map("named", content()).computed())
            .block(NestedBlock::set("bag", content()));
        let row = || Value::object::<&str>([]);
        let config = Value::object([("secret", "s".into()), ("rows", Value::list([row()]))]);
        let sent = complete_config(&schema, config);
        assert!(["filled", "named"].map(|name| sent.get(name).is_null()).iter().all(|null| *null));
        assert!(sent.at(&Path::from("rows").index(0).attribute("filled")).is_null());
        assert_eq!((sent.get("bag"), sent.get("secret")), (&Value::list([]), &"s".into()));
        let written = complete_config(&schema, Value::object([("filled", Value::list([row()]))]));
        assert_eq!(written.get("filled").as_list().map(<[_]>::len), Some(1));
    }
}
