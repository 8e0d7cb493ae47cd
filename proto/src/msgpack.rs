//! Values as msgpack, the way go-cty writes them: the type is known to both sides and decides the form.

mod read;
mod write;

pub(crate) use write::write;

use crate::{
    Path, Step, Type, Value,
    limits::{MAX_DEPTH, Room},
    view::ValueError,
};

/// Bytes that are no value of the expected type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{path}` from msgpack: {problem}")]
pub struct DecodeError {
    /// Where.
    pub path: Path,
    /// What is wrong; never quotes contents.
    pub problem: &'static str,
}

impl Value {
    /// Reads a value of a type. Takes no more memory than about 512 MiB, whatever the bytes claim to hold.
    ///
    /// # Errors
    /// If the bytes are broken, hold something else, go on after the value, need more memory, or are nested
    /// more than 64 deep.
    pub fn from_msgpack(bytes: &[u8], kind: &Type) -> Result<Self, DecodeError> {
        read(bytes, kind, Room::whole())?
            .conform(kind)
            .map_err(|error| DecodeError { path: error.path, problem: "not of the expected type" })
    }

    /// Writes a value, brought into the form of the type by [`Value::conform`] first.
    ///
    /// # Errors
    /// If the value is not of the type.
    pub fn to_msgpack(&self, kind: &Type) -> Result<Vec<u8>, ValueError> {
        Ok(write(&self.clone().conform(kind)?))
    }
}

fn read(bytes: &[u8], kind: &Type, room: Room) -> Result<Value, DecodeError> {
    let mut reader = read::Reader::new(bytes, room);
    let value = reader.value(kind, MAX_DEPTH)?;
    reader.end()?;
    Ok(value)
}

impl DecodeError {
    fn new(problem: &'static str) -> Self {
        Self { path: Path::root(), problem }
    }

    /// The same, seen from one step further out.
    fn below(self, step: Step) -> Self {
        Self { path: self.path.below(step), ..self }
    }
}

#[cfg(test)]
mod tests;
