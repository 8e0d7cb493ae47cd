//! Values as they travel in messages.

use crate::{
    Diagnostic, Diagnostics, Schema, Type, Value, ValueError,
    check::Fault,
    json, msgpack,
    wire::tfplugin6::{DynamicValue, RawState, ResourceIdentityData},
};

/// Reads a value in either encoding; neither is null.
pub(super) fn decode(sent: Option<DynamicValue>, kind: &Type) -> Result<Value, Diagnostics> {
    let sent = sent.unwrap_or_default();
    if !sent.msgpack.is_empty() {
        Ok(Value::from_msgpack(&sent.msgpack, kind).map_err(|error| unreadable(&error))?)
    } else if !sent.json.is_empty() {
        decode_json(&sent.json, kind)
    } else {
        Ok(Value::Null)
    }
}

/// Reads a value in Terraform's JSON form.
pub(super) fn decode_json(json: &[u8], kind: &Type) -> Result<Value, Diagnostics> {
    let json = json::parse(json).map_err(|error| unreadable(&error))?;
    Ok(Value::from_json(&json, kind).map_err(|error| unreadable(&error))?)
}

/// The JSON of state that some earlier version wrote.
pub(super) fn raw_json(state: Option<RawState>) -> Result<Vec<u8>, Diagnostics> {
    let state = state.unwrap_or_default();
    if state.json.is_empty() && !state.flatmap.is_empty() {
        let detail = "It was written by Terraform 0.11 or older. Apply once with Terraform 0.12 first.";
        return Err(Diagnostic::error("The state has a form that is no longer read", detail).into());
    }
    Ok(state.json)
}

/// Writes an answer, completed by its schema.
pub(super) fn encode(value: Value, schema: &Schema) -> Result<(Value, DynamicValue), Diagnostics> {
    let value = schema.complete(value).map_err(|error| misshapen(&error))?;
    let msgpack = msgpack::write(&value);
    Ok((value, DynamicValue { msgpack, json: Vec::new() }))
}

/// Writes an answer in which everything has to be known.
pub(super) fn encode_known(value: Value, schema: &Schema) -> Result<DynamicValue, Diagnostics> {
    let (value, sent) = encode(value, schema)?;
    known(&value)?;
    Ok(sent)
}

/// Writes an identity in which everything has to be known.
pub(super) fn encode_identity(identity: Value, kind: &Type) -> Result<ResourceIdentityData, Diagnostics> {
    let identity = identity.conform(kind).map_err(|error| misshapen(&error))?;
    known(&identity)?;
    let data = DynamicValue { msgpack: msgpack::write(&identity), json: Vec::new() };
    Ok(ResourceIdentityData { identity_data: Some(data) })
}

/// That nothing is unknown any more.
pub(super) fn known(value: &Value) -> Result<(), Diagnostics> {
    let Some(path) = value.first_unknown() else { return Ok(()) };
    let fault = Fault { path, problem: "is still unknown".to_owned() };
    Err(bug(&fault).into())
}

/// An answer against the rules, in words for those who report it and those who mend it.
pub(super) fn bug(fault: &Fault) -> Diagnostic {
    let detail = format!("This is a bug in the provider, please report it: {fault}.");
    Diagnostic::error("The provider gave an invalid answer", detail).at(fault.path.clone())
}

fn misshapen(error: &ValueError) -> Diagnostic {
    let problem = format!("must be {}, not {}", error.wanted, error.found);
    bug(&Fault { path: error.path.clone(), problem })
}

fn unreadable(error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic::error("A value from Terraform cannot be read", error.to_string())
}
