//! Values and diagnostics as they travel, from the client's side.

use tonic::{Response, Status};

use crate::{
    Attribute, Deferral, Diagnostic, Diagnostics, IdentitySchema, Path, Schema, Severity, Step, Type, Value,
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
    let mut complete = complete.map(&mut |path, value| match schema.attribute_at(path) {
        Some(attribute) if Attribute::is_write_only(attribute) && value.is_null() => config.at(path).clone(),
        _ => value,
    });
    for block in schema.top().blocks().iter().filter(|block| block.is_computed()) {
        if complete.get(block.name()).as_list().is_some_and(<[Value]>::is_empty) {
            complete.set(block.name(), Value::Null);
        }
    }
    complete
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
    let Some(DynamicValue { msgpack, .. }) = sent.filter(|sent| !sent.msgpack.is_empty()) else {
        return Ok(Value::Null);
    };
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
