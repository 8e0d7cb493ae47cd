//! Values in Terraform's JSON form, that of the state.

mod read;
mod write;

use serde::de::Error as _;
use serde_json::Value as Json;

use crate::{
    Type, Value,
    limits::{MAP, MAX_DEPTH, PART, Room},
    view::ValueError,
};

impl Value {
    /// Reads a value of a type. Attributes the type does not have are dropped, missing ones are null.
    ///
    /// # Errors
    /// If some part is not of its type, needs more memory than about 512 MiB, or is nested more than 64 deep.
    pub fn from_json(json: &Json, kind: &Type) -> Result<Self, ValueError> {
        read::Reader::default().value(json, kind, MAX_DEPTH)?.conform(kind)
    }

    /// Writes a value as Terraform does, character by character, brought into the form of the type by
    /// [`Value::conform`] first.
    ///
    /// # Errors
    /// If the value is not of the type, or some part has no JSON: unknown values and infinite numbers.
    pub fn to_json(&self, kind: &Type) -> Result<String, ValueError> {
        let mut out = String::new();
        write::value_into(&mut out, &self.clone().conform(kind)?)?;
        Ok(out)
    }
}

/// Parses JSON of any shape that does not take more memory than a value may.
pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Json> {
    Room::whole()
        .take(weight(text))
        .ok_or_else(|| serde_json::Error::custom("takes more memory than a value may"))?;
    serde_json::from_slice(text)
}

/// What a text comes to when it is parsed, from above.
fn weight(text: &[u8]) -> usize {
    let (mut weight, mut quoted, mut escaped) = (PART + text.len(), false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' if !quoted => weight += MAP,
            b'[' | b',' | b':' if !quoted => weight += PART,
            _ => {}
        }
    }
    weight
}

#[cfg(test)]
mod tests;
