//! Values brought into the form their type demands.

use std::collections::BTreeMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{Path, Type, Value, view::ValueError};

impl Value {
    /// Brings a value into the form of a type: absent attributes of objects are null, text is in normal
    /// form C, sets are sorted, a value in a dynamic place carries its type.
    ///
    /// # Errors
    /// If some part is not of its type, or an object has an attribute the type does not have.
    pub fn conform(self, kind: &Type) -> Result<Self, ValueError> {
        conform(self, kind, &Path::root())
    }
}

fn conform(value: Value, kind: &Type, path: &Path) -> Result<Value, ValueError> {
    match (kind, value) {
        (_, Value::Null) => Ok(Value::Null),
        (_, Value::Unknown) => Ok(Value::Unknown),
        (Type::Dynamic, Value::Dynamic(own, inner)) => {
            let inner = conform(*inner, &own, path)?;
            Ok(Value::Dynamic(own, Box::new(inner)))
        }
        (Type::Dynamic, bare) => {
            let own = infer(&bare);
            let inner = conform(bare, &own, path)?;
            Ok(Value::Dynamic(own, Box::new(inner)))
        }
        (kind, Value::Dynamic(_, inner)) => conform(*inner, kind, path),
        (Type::Bool, Value::Bool(truth)) => Ok(Value::Bool(truth)),
        (Type::Number, Value::Number(number)) => Ok(Value::Number(number)),
        (Type::String, Value::String(text)) => Ok(Value::String(normalized(text))),
        (Type::List(element), Value::List(elements)) => {
            let elements = elements.into_iter().enumerate();
            elements
                .map(|(index, value)| conform(value, element, &path.clone().index(index)))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        (Type::Set(element), Value::List(elements)) => {
            let elements = elements.into_iter().map(|value| conform(value, element, path));
            elements.collect::<Result<_, _>>().map(set)
        }
        (Type::Tuple(kinds), Value::List(elements)) if kinds.len() == elements.len() => {
            let elements = elements.into_iter().zip(kinds).enumerate();
            elements
                .map(|(index, (value, kind))| conform(value, kind, &path.clone().index(index)))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        (Type::Map(element), Value::Map(members)) => {
            let members = members.into_iter().map(|(key, value)| {
                let value = conform(value, element, &path.clone().key(&key))?;
                Ok((normalized(key), value))
            });
            members.collect::<Result<_, _>>().map(Value::Map)
        }
        (Type::Object(attributes), Value::Map(members)) => object(members, attributes, path),
        (kind, other) => Err(other.view().is_not(kind.to_string()).at(path)),
    }
}

fn object(
    mut members: BTreeMap<String, Value>,
    attributes: &BTreeMap<String, Type>,
    path: &Path,
) -> Result<Value, ValueError> {
    let conformed = attributes.iter().map(|(name, kind)| {
        let member = members.remove(name).unwrap_or_default();
        Ok((name.clone(), conform(member, kind, &path.clone().attribute(name))?))
    });
    let conformed = conformed.collect::<Result<_, _>>()?;
    match members.into_iter().next() {
        Some((name, extra)) => {
            let error = extra.view().is_not("left out (the schema has no such attribute)");
            Err(error.at(&path.clone().attribute(name)))
        }
        None => Ok(Value::Map(conformed)),
    }
}

/// Sorts elements and drops doubles. Unknown ones stay apart: they may turn out to differ.
fn set(mut elements: Vec<Value>) -> Value {
    elements.sort();
    elements.dedup_by(|next, element| next == element && element.is_wholly_known());
    Value::List(elements)
}

/// The type a bare value has of itself: lists are tuples, maps are objects.
fn infer(value: &Value) -> Type {
    match value {
        Value::Null | Value::Unknown => Type::Dynamic,
        Value::Bool(_) => Type::Bool,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::List(elements) => Type::Tuple(elements.iter().map(infer).collect()),
        Value::Map(members) => Type::object(members.iter().map(|(name, member)| (name, infer(member)))),
        Value::Dynamic(own, _) => own.clone(),
    }
}

pub(crate) fn normalized(text: String) -> String {
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

impl ValueError {
    fn at(self, path: &Path) -> Self {
        Self { path: path.clone(), ..self }
    }
}
