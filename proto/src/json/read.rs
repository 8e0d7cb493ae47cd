//! Reading.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::{
    Path, Step, Type, Value,
    limits::{MAP, PART, Room},
    view::ValueError,
};

type Read<T> = Result<T, ValueError>;

pub(super) struct Reader(Room);

impl Default for Reader {
    fn default() -> Self {
        Self(Room::whole())
    }
}

impl Reader {
    pub(super) fn value(&mut self, json: &Json, kind: &Type, depth: usize) -> Read<Value> {
        let kind = kind.required();
        let refused = || refused(kind.to_string(), json);
        let depth = depth.checked_sub(1).ok_or_else(refused)?;
        self.pay(PART)?;
        match (kind, json) {
            (_, Json::Null) => Ok(Value::Null),
            (Type::Bool, Json::Bool(truth)) => Ok(Value::Bool(*truth)),
            (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
            (Type::Number, Json::Number(number)) => {
                number.as_str().parse().map(Value::Number).map_err(|_| refused())
            }
            (Type::List(element) | Type::Set(element), Json::Array(elements)) => {
                self.elements(elements.iter().map(|json| (json, &**element)), depth)
            }
            (Type::Tuple(kinds), Json::Array(elements)) if kinds.len() == elements.len() => {
                self.elements(elements.iter().zip(kinds), depth)
            }
            (Type::Map(element), Json::Object(members)) => self.map(members, element, depth),
            (Type::Object(attributes), Json::Object(members)) => self.object(members, attributes, depth),
            (Type::Dynamic, Json::Object(members)) => {
                let own = members.get("type").and_then(|kind| Type::from_json(kind).ok());
                let own = own.ok_or_else(refused)?.without_optional();
                let inner = self.value(members.get("value").unwrap_or(&Json::Null), &own, depth)?;
                Ok(inner.bringing(own))
            }
            _ => Err(refused()),
        }
    }

    fn elements<'a>(
        &mut self,
        elements: impl Iterator<Item = (&'a Json, &'a Type)>,
        depth: usize,
    ) -> Read<Value> {
        let read = elements.enumerate().map(|(index, (json, kind))| {
            self.value(json, kind, depth).map_err(|error| error.below(Step::Index(index)))
        });
        read.collect::<Read<_>>().map(Value::List)
    }

    fn map(&mut self, members: &Map<String, Json>, element: &Type, depth: usize) -> Read<Value> {
        self.pay(MAP)?;
        let read = members.iter().map(|(key, json)| {
            let member = self.value(json, element, depth);
            Ok((key.clone(), member.map_err(|error| error.below(Step::Key(key.clone())))?))
        });
        read.collect::<Read<_>>().map(Value::Map)
    }

    fn object(
        &mut self,
        members: &Map<String, Json>,
        attributes: &BTreeMap<String, Type>,
        depth: usize,
    ) -> Read<Value> {
        self.pay(MAP)?;
        let read = attributes.iter().map(|(name, kind)| {
            let member = self.value(members.get(name).unwrap_or(&Json::Null), kind, depth);
            Ok((name.clone(), member.map_err(|error| error.below(Step::Attribute(name.clone())))?))
        });
        read.collect::<Read<_>>().map(Value::Map)
    }

    fn pay(&mut self, bytes: usize) -> Read<()> {
        let too_much = || ValueError {
            path: Path::root(),
            wanted: "smaller".to_owned(),
            found: "more than a value may be",
        };
        self.0.take(bytes).ok_or_else(too_much)
    }
}

fn refused(wanted: String, json: &Json) -> ValueError {
    let found = match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "this number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    ValueError { path: Path::root(), wanted, found }
}
