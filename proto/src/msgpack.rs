//! Values as msgpack, the way go-cty writes them: the type is known to both sides and decides the form.

use rmp::{Marker, decode, encode};

use crate::{Number, Path, Type, Value, conform::normalized, types::MAX_DEPTH, view::ValueError};

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
    /// Reads a value of a type. Takes memory in proportion to the bytes, whatever these claim to hold.
    ///
    /// # Errors
    /// If the bytes are broken, hold something else, go on after the value, or are nested more than 64 deep.
    pub fn from_msgpack(bytes: &[u8], kind: &Type) -> Result<Self, DecodeError> {
        let mut reader = Reader { rest: bytes, path: Path::root() };
        let value = reader.value(kind, MAX_DEPTH)?;
        if reader.rest.is_empty() { value.canonical(kind) } else { Err(reader.fails("bytes after the end")) }
    }

    /// Writes a value, brought into the form of the type by [`Value::conform`] first.
    ///
    /// # Errors
    /// If the value is not of the type.
    pub fn to_msgpack(&self, kind: &Type) -> Result<Vec<u8>, ValueError> {
        Ok(write(&self.clone().conform(kind)?, kind))
    }

    fn canonical(self, kind: &Type) -> Result<Self, DecodeError> {
        self.conform(kind)
            .map_err(|error| DecodeError { path: error.path, problem: "not of the expected type" })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    path: Path,
}

type Decoded<T> = Result<T, DecodeError>;

impl<'a> Reader<'a> {
    fn fails(&self, problem: &'static str) -> DecodeError {
        DecodeError { path: self.path.clone(), problem }
    }

    fn value(&mut self, kind: &Type, depth: usize) -> Decoded<Value> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.fails("nested too deep"))?;
        if let Some(settled) = self.null_or_unknown()? {
            return Ok(settled);
        }
        match kind {
            Type::Dynamic => self.dynamic(depth),
            Type::Bool => decode::read_bool(&mut self.rest)
                .map(Value::Bool)
                .map_err(|_| self.fails("a bool was expected")),
            Type::Number => self.number().map(Value::Number),
            Type::String => self.text().map(|text| Value::String(normalized(text.to_owned()))),
            Type::List(element) | Type::Set(element) => {
                let count = self.array()?;
                (0..count)
                    .map(|index| {
                        self.inside(Path::index, index as usize, |reader| reader.value(element, depth))
                    })
                    .collect::<Decoded<_>>()
                    .map(Value::List)
            }
            Type::Tuple(kinds) => {
                if self.array()? as usize != kinds.len() {
                    return Err(self.fails("a tuple of another length"));
                }
                let kinds = kinds.iter().enumerate();
                kinds
                    .map(|(index, kind)| self.inside(Path::index, index, |reader| reader.value(kind, depth)))
                    .collect::<Decoded<_>>()
                    .map(Value::List)
            }
            Type::Map(element) => self
                .members(|reader, key| reader.inside(Path::key, key, |reader| reader.value(element, depth))),
            Type::Object(attributes) => self.members(|reader, name| {
                let kind = attributes.get(name).ok_or_else(|| reader.fails("an unexpected attribute"))?;
                reader.inside(Path::attribute, name, |reader| reader.value(kind, depth))
            }),
        }
    }

    /// Reads a part, one step further down the path.
    fn inside<S, T>(
        &mut self,
        go: impl Fn(Path, S) -> Path,
        step: S,
        read: impl FnOnce(&mut Self) -> Decoded<T>,
    ) -> Decoded<T> {
        let outside = self.path.clone();
        self.path = go(outside.clone(), step);
        let part = read(self)?;
        self.path = outside;
        Ok(part)
    }

    fn members(&mut self, mut read: impl FnMut(&mut Self, &'a str) -> Decoded<Value>) -> Decoded<Value> {
        let count = decode::read_map_len(&mut self.rest).map_err(|_| self.fails("a map was expected"))?;
        let members = (0..count).map(|_| {
            let name = self.text()?;
            Ok((normalized(name.to_owned()), read(self, name)?))
        });
        members.collect::<Decoded<_>>().map(Value::Map)
    }

    fn dynamic(&mut self, depth: usize) -> Decoded<Value> {
        if self.array()? != 2 {
            return Err(self.fails("a type and a value were expected"));
        }
        let length = decode::read_bin_len(&mut self.rest).map_err(|_| self.fails("a type was expected"))?;
        let json =
            serde_json::from_slice(self.take(length as usize)?).map_err(|_| self.fails("a broken type"))?;
        let kind = Type::from_json(&json).map_err(|_| self.fails("a broken type"))?;
        match self.value(&kind, depth)? {
            inner @ Value::Dynamic(..) => Ok(inner),
            inner => Ok(Value::Dynamic(kind, Box::new(inner))),
        }
    }

    fn null_or_unknown(&mut self) -> Decoded<Option<Value>> {
        let Some(first) = self.rest.first() else { return Err(self.fails("the end came early")) };
        let marker = Marker::from_u8(*first);
        match marker {
            Marker::Null => {
                self.take(1)?;
                Ok(Some(Value::Null))
            }
            Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32 => {
                let meta =
                    decode::read_ext_meta(&mut self.rest).map_err(|_| self.fails("a broken extension"))?;
                self.take(meta.size as usize)?;
                Ok(Some(Value::Unknown))
            }
            _ => Ok(None),
        }
    }

    fn number(&mut self) -> Decoded<Number> {
        let refused = self.fails("a number was expected");
        match Marker::from_u8(self.rest[0]) {
            Marker::F32 => {
                Number::exact(decode::read_f32(&mut self.rest).map_err(|_| refused.clone())?.into())
            }
            Marker::F64 => Number::exact(decode::read_f64(&mut self.rest).map_err(|_| refused.clone())?),
            Marker::U64 => return Ok(decode::read_u64(&mut self.rest).map_err(|_| refused)?.into()),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => self.text()?.parse(),
            _ => return decode::read_int::<i64, _>(&mut self.rest).map(Number::from).map_err(|_| refused),
        }
        .map_err(|_| refused)
    }

    fn text(&mut self) -> Decoded<&'a str> {
        let length = decode::read_str_len(&mut self.rest).map_err(|_| self.fails("a string was expected"))?;
        std::str::from_utf8(self.take(length as usize)?).map_err(|_| self.fails("a string that is not UTF-8"))
    }

    fn array(&mut self) -> Decoded<u32> {
        decode::read_array_len(&mut self.rest).map_err(|_| self.fails("a list was expected"))
    }

    fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| self.fails("the end came early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Writes a value that has the form of the type already.
pub(crate) fn write(value: &Value, kind: &Type) -> Vec<u8> {
    let mut out = Vec::new();
    write_into(&mut out, value, kind).expect("memory takes everything");
    out
}

type Written = std::io::Result<()>;

fn write_into(out: &mut Vec<u8>, value: &Value, kind: &Type) -> Written {
    match (value, kind) {
        (Value::Null, _) => encode::write_nil(out)?,
        (Value::Unknown, _) => out.extend([0xd4, 0, 0]),
        (Value::Bool(truth), _) => encode::write_bool(out, *truth)?,
        (Value::Number(number), _) => write_number(out, number)?,
        (Value::String(text), _) => encode::write_str(out, text)?,
        (Value::Dynamic(own, inner), _) => {
            encode::write_array_len(out, 2)?;
            encode::write_bin(out, own.to_json().to_string().as_bytes())?;
            write_into(out, inner, own)?;
        }
        (Value::List(elements), _) => {
            encode::write_array_len(out, length(elements.len()))?;
            for (index, element) in elements.iter().enumerate() {
                write_into(out, element, part(kind, index, ""))?;
            }
        }
        (Value::Map(members), _) => {
            encode::write_map_len(out, length(members.len()))?;
            for (name, member) in members {
                encode::write_str(out, name)?;
                write_into(out, member, part(kind, 0, name))?;
            }
        }
    }
    Ok(())
}

/// Whole numbers as such where 64 bits hold them, floats where no digit is lost, else decimal text.
fn write_number(out: &mut Vec<u8>, number: &Number) -> Written {
    if let Some(whole) = number.as_i64() {
        encode::write_sint(out, whole)?;
    } else if let Some(float) =
        number.as_exact_f64().filter(|float| float.fract() != 0.0 || float.is_infinite())
    {
        encode::write_f64(out, float)?;
    } else {
        encode::write_str(out, &number.to_string())?;
    }
    Ok(())
}

/// The type of an element or member.
fn part<'a>(kind: &'a Type, index: usize, name: &str) -> &'a Type {
    match kind {
        Type::List(element) | Type::Set(element) | Type::Map(element) => element,
        Type::Tuple(kinds) => kinds.get(index).unwrap_or(&Type::Dynamic),
        Type::Object(attributes) => attributes.get(name).unwrap_or(&Type::Dynamic),
        Type::Dynamic | Type::Bool | Type::Number | Type::String => &Type::Dynamic,
    }
}

fn length(count: usize) -> u32 {
    u32::try_from(count).expect("messages are limited to 256 MiB")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(json: &serde_json::Value) -> Type {
        Type::from_json(json).unwrap()
    }

    fn number(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    fn dynamic(kind: Type, value: impl Into<Value>) -> Value {
        Value::Dynamic(kind, Box::new(value.into()))
    }

    /// Type, value, and the bytes Terraform 1.11 writes for it.
    fn vectors() -> Vec<(Type, Value, &'static str)> {
        let object = kind(&json!(["object", { "a": "string", "b": ["list", "number"] }]));
        vec![
            (Type::String, Value::Null, "c0"),
            (Type::String, Value::Unknown, "d40000"),
            (Type::Bool, true.into(), "c3"),
            (Type::Bool, false.into(), "c2"),
            (Type::String, "".into(), "a0"),
            (Type::String, "é".into(), "a2c3a9"),
            (Type::Number, number("36"), "24"),
            (Type::Number, number("-1"), "ff"),
            (Type::Number, number("-200"), "d1ff38"),
            (Type::Number, number("65536"), "ce00010000"),
            (Type::Number, number("9223372036854775807"), "cf7fffffffffffffff"),
            (Type::Number, number("9223372036854775808"), "b339323233333732303336383534373735383038"),
            (Type::Number, number("1.5"), "cb3ff8000000000000"),
            (Type::Number, number("0.1"), "a3302e31"),
            (Type::Number, Value::Number(Number::exact(0.1).unwrap()), "cb3fb999999999999a"),
            (Type::Number, Value::Number(Number::exact(f64::INFINITY).unwrap()), "cb7ff0000000000000"),
            (Type::list(Type::Bool), Value::list([true.into(), Value::Unknown]), "92c3d40000"),
            (Type::set(Type::String), Value::list(["a".into(), "b".into()]), "92a161a162"),
            (Type::map(Type::Number), Value::object([("k", number("1"))]), "81a16b01"),
            (object, Value::object([("a", "x".into()), ("b", Value::list([]))]), "82a161a178a16290"),
            (kind(&json!(["tuple", ["bool", "string"]])), Value::list([true.into(), "x".into()]), "92c3a178"),
            (Type::Dynamic, Value::Null, "c0"),
            (Type::Dynamic, Value::Unknown, "d40000"),
            (Type::Dynamic, dynamic(Type::String, "x"), "92c40822737472696e6722a178"),
            (Type::Dynamic, dynamic(Type::String, Value::Null), "92c40822737472696e6722c0"),
            (
                Type::list(Type::Dynamic),
                Value::list([dynamic(Type::Bool, true), dynamic(Type::Bool, Value::Unknown)]),
                "9292c40622626f6f6c22c392c40622626f6f6c22d40000",
            ),
        ]
    }

    #[test]
    fn values_travel_both_ways() {
        for (kind, value, bytes) in vectors() {
            assert_eq!(hex::encode(value.to_msgpack(&kind).unwrap()), bytes, "{value:?}");
            assert_eq!(Value::from_msgpack(&hex::decode(bytes).unwrap(), &kind).unwrap(), value, "{bytes}");
        }
    }

    #[test]
    fn other_spellings_are_read() {
        for (kind, bytes, expected) in [
            (Type::Number, "d0ff", number("-1")),
            (Type::Number, "ca3fc00000", number("1.5")),
            (Type::Number, "cfffffffffffffffff", number("18446744073709551615")),
            (Type::Number, "a4312e3530", number("1.5")),
            (Type::String, "d90178", "x".into()),
            // Decomposed text is composed.
            (Type::String, "a365cc81", "é".into()),
            // Unknown text of which the beginning is known; a list of at least one element; in a dynamic
            // place.
            (Type::String, "c7090c8201c202a47072652d", Value::Unknown),
            (Type::list(Type::Number), "c7070c8201c2039200c3", Value::Unknown),
            (Type::Dynamic, "92c40822737472696e6722c7030c8101c2", dynamic(Type::String, Value::Unknown)),
            // Sets come in any order, and again.
            (Type::set(Type::String), "93a162a161a162", Value::list(["a".into(), "b".into()])),
            // Two unknown elements may turn out to differ.
            (Type::set(Type::String), "92d40000d40000", Value::list([Value::Unknown, Value::Unknown])),
            (kind(&json!(["object", { "a": "string" }, ["a"]])), "80", Value::object([("a", Value::Null)])),
        ] {
            assert_eq!(
                Value::from_msgpack(&hex::decode(bytes).unwrap(), &kind).unwrap(),
                expected,
                "{bytes}"
            );
        }
    }

    #[test]
    fn broken_bytes_are_refused() {
        let deep = "91".repeat(100_000) + "c0";
        let nested = (0..70).fold(Type::String, |inner, _| Type::list(inner));
        for (kind, bytes, expected) in [
            (Type::String, "", "cannot read `` from msgpack: the end came early"),
            (Type::String, "a2", "cannot read `` from msgpack: the end came early"),
            (Type::String, "dbffffffff", "cannot read `` from msgpack: the end came early"),
            (Type::String, "a1ff", "cannot read `` from msgpack: a string that is not UTF-8"),
            (Type::String, "c0c0", "cannot read `` from msgpack: bytes after the end"),
            (Type::String, "01", "cannot read `` from msgpack: a string was expected"),
            (Type::Bool, "c1", "cannot read `` from msgpack: a bool was expected"),
            (Type::Number, "a178", "cannot read `` from msgpack: a number was expected"),
            (Type::Number, "cb7ff8000000000000", "cannot read `` from msgpack: a number was expected"),
            (Type::Number, "a9316539393939393939", "cannot read `` from msgpack: a number was expected"),
            (Type::list(Type::Bool), "ddffffffff", "cannot read `[0]` from msgpack: the end came early"),
            (Type::map(Type::Bool), "81a16b01", "cannot read `[\"k\"]` from msgpack: a bool was expected"),
            (
                kind(&json!(["object", {}])),
                "81a161c0",
                "cannot read `` from msgpack: an unexpected attribute",
            ),
            (
                kind(&json!(["tuple", ["bool"]])),
                "90",
                "cannot read `` from msgpack: a tuple of another length",
            ),
            (Type::Dynamic, "92c40178c0", "cannot read `` from msgpack: a broken type"),
            (Type::Dynamic, "93c0c0c0", "cannot read `` from msgpack: a type and a value were expected"),
            (Type::String, "c9ffffffff0c", "cannot read `` from msgpack: the end came early"),
        ] {
            let error = Value::from_msgpack(&hex::decode(bytes).unwrap(), &kind).unwrap_err();
            assert_eq!(error.to_string(), expected, "{bytes}");
        }
        let error = Value::from_msgpack(&hex::decode(deep).unwrap(), &nested).unwrap_err();
        assert_eq!(error.problem, "nested too deep");
    }

    /// Not a proof, but every cut and every single changed byte of every vector gets through without a panic.
    #[test]
    fn damage_never_panics() {
        for (kind, _, bytes) in vectors() {
            let bytes = hex::decode(bytes).unwrap();
            for position in 0..bytes.len() {
                let _ = Value::from_msgpack(&bytes[..position], &kind);
                for byte in 0..=255 {
                    let mut damaged = bytes.clone();
                    damaged[position] = byte;
                    let _ = Value::from_msgpack(&damaged, &kind);
                }
            }
        }
    }
}
