//! Reading. Nothing is allocated for what a header claims; every part is paid for when it is there.

use std::{collections::BTreeMap, ops::Bound};

use rmp::{Marker, decode};

use super::DecodeError;
use crate::{
    Number, Step, Type, Value,
    conform::normalized,
    json,
    limits::{FLOAT, MAP, PART, Room, TYPE_BYTE},
    refinement::{Limit, Refinement},
};

type Decoded<T> = Result<T, DecodeError>;

/// The extension that says what is known of an unknown value, and the longest there may be.
const REFINED: i8 = 12;
const MAX_REFINED: usize = 1024;

pub(super) struct Reader<'a> {
    rest: &'a [u8],
    room: Room,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], room: Room) -> Self {
        Self { rest: bytes, room }
    }

    pub(super) fn end(&self) -> Decoded<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::new("bytes after the end")) }
    }

    pub(super) fn value(&mut self, kind: &Type, depth: usize) -> Decoded<Value> {
        let depth = depth.checked_sub(1).ok_or(DecodeError::new("nested too deep"))?;
        self.pay(PART)?;
        let marker = self.marker()?;
        if marker == Marker::Null {
            self.take(1)?;
            return Ok(Value::Null);
        }
        match kind.required() {
            kind if is_extension(marker) => self.unknown(kind),
            Type::Dynamic => self.dynamic(depth),
            Type::Bool => wanted(decode::read_bool(&mut self.rest), "a bool was expected").map(Value::Bool),
            Type::Number => self.number(marker).map(Value::Number),
            Type::List(element) | Type::Set(element) => {
                let count = self.array()?;
                self.elements(std::iter::repeat_n(&**element, count), depth)
            }
            Type::Tuple(kinds) if self.array()? == kinds.len() => self.elements(kinds.iter(), depth),
            Type::Tuple(_) => Err(DecodeError::new("a tuple of another length")),
            Type::Map(element) => self.map(element, depth),
            Type::Object(attributes) => self.object(attributes, depth),
            // An attribute that may be left out was unwrapped above.
            Type::String | Type::Optional(_) => self.text().map(Value::String),
        }
    }

    fn elements<'k>(&mut self, kinds: impl Iterator<Item = &'k Type>, depth: usize) -> Decoded<Value> {
        let elements = kinds
            .enumerate()
            .map(|(index, kind)| self.value(kind, depth).map_err(|error| error.below(Step::Index(index))));
        elements.collect::<Decoded<_>>().map(Value::List)
    }

    fn map(&mut self, element: &Type, depth: usize) -> Decoded<Value> {
        let members = self.members(|reader, key| {
            reader.value(element, depth).map_err(|error| error.below(Step::Key(key.to_owned())))
        });
        members.map(Value::Map)
    }

    /// Terraform always writes all attributes.
    fn object(&mut self, attributes: &BTreeMap<String, Type>, depth: usize) -> Decoded<Value> {
        let below = |name: &str, error: DecodeError| error.below(Step::Attribute(name.to_owned()));
        let members = self.members(|reader, name| {
            let kind = attributes.get(name).ok_or(DecodeError::new("an unexpected attribute"));
            kind.and_then(|kind| reader.value(kind, depth)).map_err(|error| below(name, error))
        })?;
        match attributes.keys().find(|name| !members.contains_key(*name)) {
            Some(name) => Err(below(name, DecodeError::new("an attribute that is missing"))),
            None => Ok(Value::Map(members)),
        }
    }

    fn members(
        &mut self,
        mut read: impl FnMut(&mut Self, &str) -> Decoded<Value>,
    ) -> Decoded<BTreeMap<String, Value>> {
        let count = wanted(decode::read_map_len(&mut self.rest), "a map was expected")?;
        self.pay(if count == 0 { 0 } else { MAP })?;
        let mut members = BTreeMap::new();
        for _ in 0..count {
            let key = self.text()?;
            let member = read(self, &key)?;
            if members.insert(key, member).is_some() {
                return Err(DecodeError::new("the same key again"));
            }
        }
        Ok(members)
    }

    fn dynamic(&mut self, depth: usize) -> Decoded<Value> {
        if self.array()? != 2 {
            return Err(DecodeError::new("a type and a value were expected"));
        }
        let length = wanted(decode::read_bin_len(&mut self.rest), "a type was expected")? as usize;
        let text = self.take(length)?;
        self.pay(length.saturating_mul(TYPE_BYTE))?;
        let kind = wanted(json::parse(text), "a broken type")?;
        let kind = wanted(Type::from_json(&kind), "a broken type")?.without_optional();
        Ok(self.value(&kind, depth)?.bringing(kind))
    }

    /// Whatever an extension is, it stands for a value that is not known.
    fn unknown(&mut self, kind: &Type) -> Decoded<Value> {
        let head = wanted(decode::read_ext_meta(&mut self.rest), "a broken extension")?;
        let body = self.take(head.size as usize)?;
        if head.typeid != REFINED || body.len() <= 1 || *kind == Type::Dynamic {
            return Ok(Value::Unknown);
        }
        if body.len() > MAX_REFINED {
            return Err(DecodeError::new("too long a description of an unknown value"));
        }
        let described = Reader::new(body, Room::whole()).described(kind);
        described.map_err(|_| DecodeError::new("a broken description of an unknown value"))
    }

    fn described(&mut self, kind: &Type) -> Decoded<Value> {
        let (mut nullable, mut prefix, mut length) = (true, String::new(), (0, None));
        let (mut lower, mut upper) = (Bound::Unbounded, Bound::Unbounded);
        for _ in 0..wanted(decode::read_map_len(&mut self.rest), "")? {
            match self.count()? {
                1 if wanted(decode::read_bool(&mut self.rest), "")? => return Ok(Value::Null),
                1 => nullable = false,
                2 => prefix = self.text()?,
                3 => lower = self.bound()?,
                4 => upper = self.bound()?,
                5 => length.0 = self.count()?,
                6 => length.1 = Some(self.count()?),
                // Something newer; where it ends is not known.
                _ => break,
            }
        }
        let limit = match kind {
            Type::String => Limit::Prefix(prefix),
            Type::Number => Limit::Number(lower, upper),
            Type::List(_) | Type::Set(_) | Type::Map(_) => Limit::Length(length.0, length.1),
            _ => Limit::None,
        };
        Ok(Refinement::new(nullable, limit).into())
    }

    fn bound(&mut self) -> Decoded<Bound<Number>> {
        if self.array()? != 2 {
            return Err(DecodeError::new("a number and a bool were expected"));
        }
        let marker = self.marker()?;
        let number = self.number(marker)?;
        let inclusive = wanted(decode::read_bool(&mut self.rest), "a bool was expected")?;
        Ok(if inclusive { Bound::Included(number) } else { Bound::Excluded(number) })
    }

    fn count(&mut self) -> Decoded<u64> {
        wanted(decode::read_int(&mut self.rest), "a count was expected")
    }

    fn number(&mut self, marker: Marker) -> Decoded<Number> {
        let problem = "a number was expected";
        match marker {
            Marker::F32 | Marker::F64 => {
                self.pay(FLOAT)?;
                let float = match marker {
                    Marker::F32 => decode::read_f32(&mut self.rest).map(f64::from),
                    _ => decode::read_f64(&mut self.rest),
                };
                wanted(Number::exact(wanted(float, problem)?), problem)
            }
            Marker::U64 => wanted(decode::read_u64(&mut self.rest), problem).map(Number::from),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                wanted(self.raw_text()?.parse(), problem)
            }
            _ => wanted(decode::read_int::<i64, _>(&mut self.rest), problem).map(Number::from),
        }
    }

    fn text(&mut self) -> Decoded<String> {
        let text = self.raw_text()?;
        self.pay(text.len())?;
        Ok(normalized(text.to_owned()))
    }

    fn raw_text(&mut self) -> Decoded<&'a str> {
        let length = wanted(decode::read_str_len(&mut self.rest), "a string was expected")?;
        wanted(std::str::from_utf8(self.take(length as usize)?), "a string that is not UTF-8")
    }

    fn array(&mut self) -> Decoded<usize> {
        wanted(decode::read_array_len(&mut self.rest), "a list was expected").map(|count| count as usize)
    }

    fn marker(&self) -> Decoded<Marker> {
        let first = self.rest.first().ok_or(DecodeError::new("the end came early"))?;
        Ok(Marker::from_u8(*first))
    }

    fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(DecodeError::new("the end came early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn pay(&mut self, bytes: usize) -> Decoded<()> {
        self.room.take(bytes).ok_or(DecodeError::new("takes more memory than a value may"))
    }
}

fn wanted<T, E>(read: Result<T, E>, problem: &'static str) -> Decoded<T> {
    read.map_err(|_| DecodeError::new(problem))
}

fn is_extension(marker: Marker) -> bool {
    matches!(
        marker,
        Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
    )
}
