//! Values as they travel in messages.

use crate::{
    Diagnostic, Diagnostics, Private, Type, Value, ValueError,
    check::Fault,
    json, msgpack,
    wire::tfplugin6::{DynamicValue, RawState, ResourceIdentityData},
};

/// The summary of all answers against the rules.
pub(super) const INVALID: &str = "The provider gave an invalid answer";

/// Reads a value in either encoding; neither is null.
pub(super) fn decode(sent: Option<DynamicValue>, kind: &Type) -> Result<Value, Diagnostics> {
    let sent = sent.unwrap_or_default();
    if !sent.msgpack.is_empty() {
        Ok(Value::from_msgpack(&sent.msgpack, kind).map_err(|error| unreadable(&error))?)
    } else if !sent.json.is_empty() {
        let json = json::parse(&sent.json).map_err(|error| unreadable(&error))?;
        Ok(Value::from_json(&json, kind).map_err(|error| unreadable(&error))?)
    } else {
        Ok(Value::Null)
    }
}

/// Writes a value that has the form of its type.
pub(super) fn encode(value: &Value) -> DynamicValue {
    DynamicValue { msgpack: msgpack::write(value), json: Vec::new() }
}

/// The value of which nothing is known yet.
pub(super) fn encode_unknown() -> DynamicValue {
    encode(&Value::Unknown)
}

/// Reads what some earlier version wrote: `what` it is, in a word.
pub(super) fn decode_raw(state: Option<RawState>, what: &str) -> Result<serde_json::Value, Diagnostics> {
    let state = state.unwrap_or_default();
    if state.json.is_empty() && !state.flatmap.is_empty() {
        let detail = "It was written by Terraform 0.11 or older. Apply once with Terraform 0.12 first.";
        return Err(Diagnostic::error("The state has a form that is no longer read", detail).into());
    }
    if state.json.is_empty() {
        return Err(absent(what).into());
    }
    Ok(json::parse(&state.json).map_err(|error| {
        Diagnostic::error(format!("The {what} of the resource is damaged"), error.to_string())
    })?)
}

/// Writes an identity in which everything has to be known.
pub(super) fn encode_identity(identity: Value, kind: &Type) -> Result<ResourceIdentityData, Diagnostics> {
    let identity = identity.conform(kind).map_err(|error| misshapen(&error))?;
    known(&identity)?;
    Ok(ResourceIdentityData { identity_data: Some(encode(&identity)) })
}

/// Reads private data of a state or plan.
pub(super) fn private(bytes: &[u8]) -> Result<Private, Diagnostics> {
    Private::decode(bytes).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Diagnostic::error("The state of the resource is damaged", format!("Its {error}: {cause}.")).into()
    })
}

/// That nothing is unknown any more.
pub(super) fn known(value: &Value) -> Result<(), Diagnostics> {
    let Some(path) = value.first_unknown() else { return Ok(()) };
    let fault = Fault { path, problem: "is still unknown".to_owned() };
    Err(bug(&fault).into())
}

/// That an identity has all its parts. They are no arguments that a diagnostic could point at.
pub(super) fn known_identity(identity: &Value) -> Result<(), Diagnostics> {
    let Some(path) = identity.first_unknown() else { return Ok(()) };
    let fault = Fault { path, problem: "is a part of the identity and still unknown".to_owned() };
    Err(Diagnostic { attribute: None, ..bug(&fault) }.into())
}

/// An answer against the rules, in words for those who report it and those who mend it.
pub(super) fn bug(fault: &Fault) -> Diagnostic {
    let detail = format!("This is a bug in the provider, please report it: {fault}.");
    Diagnostic::error(INVALID, detail).at(fault.path.clone())
}

/// All that is wrong with an answer.
pub(super) fn bugs(faults: &[Fault]) -> Diagnostics {
    faults.iter().map(bug).collect()
}

/// An answer that is none, to a request to do something.
pub(super) fn missing(doing: &str) -> Diagnostic {
    let detail = format!("This is a bug in the provider, please report it: `{doing}` gave no result.");
    Diagnostic::error(INVALID, detail)
}

pub(super) fn misshapen(error: &ValueError) -> Diagnostic {
    let problem = format!("must be {}, not {}", error.wanted, error.found);
    bug(&Fault { path: error.path.clone(), problem })
}

/// A message that lacks a part.
pub(super) fn absent(what: &str) -> Diagnostic {
    let detail = format!("It sent no {what}. Terraform and OpenTofu always do.");
    Diagnostic::error("The client's message is incomplete", detail)
}

fn unreadable(error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic::error("A value from Terraform cannot be read", error.to_string())
}
