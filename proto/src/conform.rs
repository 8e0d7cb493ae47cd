//! Values brought into the form their type demands.

use std::collections::BTreeMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{Step, Type, Value, view::ValueError};

impl Value {
    /// Brings a value into the form of a type: absent attributes of objects are null, text is in normal
    /// form C, sets are sorted and have no doubles, a value in a dynamic place carries its type.
    ///
    /// # Errors
    /// If some part is not of its type, or an object has an attribute the type does not have.
    pub fn conform(self, kind: &Type) -> Result<Self, ValueError> {
        match (kind.required(), self) {
            (_, Self::Null) => Ok(Self::Null),
            // What is known of a value is told by its type; a dynamic place has none yet.
            (_, Self::Unknown) | (Type::Dynamic, Self::Refined(_)) => Ok(Self::Unknown),
            (kind, Self::Refined(refinement)) if refinement.suits(kind) => Ok(Self::Refined(refinement)),
            (Type::Dynamic, Self::Dynamic(own, inner)) => Ok(inner.conform(&own)?.bringing(own)),
            (Type::Dynamic, bare) => {
                let own = infer(&bare);
                Ok(bare.conform(&own)?.bringing(own))
            }
            (kind, Self::Dynamic(_, inner)) => inner.conform(kind),
            (Type::Bool, Self::Bool(truth)) => Ok(Self::Bool(truth)),
            (Type::Number, Self::Number(number)) => Ok(Self::Number(number)),
            (Type::String, Self::String(text)) => Ok(Self::String(normalized(text))),
            (Type::List(element), Self::List(elements)) => {
                each(elements.into_iter().map(|one| (one, &**element)))
            }
            (Type::Tuple(kinds), Self::List(elements)) if kinds.len() == elements.len() => {
                each(elements.into_iter().zip(kinds))
            }
            (Type::Set(element), Self::List(elements)) => {
                elements.into_iter().map(|value| value.conform(element)).collect::<Result<_, _>>().map(set)
            }
            (Type::Map(element), Self::Map(members)) => {
                let members = members.into_iter().map(|(key, value)| match value.conform(element) {
                    Ok(value) => Ok((normalized(key), value)),
                    Err(error) => Err(error.below(Step::Key(key))),
                });
                members.collect::<Result<_, _>>().map(Self::Map)
            }
            (Type::Object(attributes), Self::Map(members)) => object(members, attributes),
            (kind, other) => Err(other.view().is_not(kind.to_string())),
        }
    }

    /// This value in a dynamic place, where it brings its type. Null and unknown need not have one.
    pub(crate) fn bringing(self, kind: Type) -> Self {
        match self {
            settled @ Self::Dynamic(..) => settled,
            open if kind == Type::Dynamic => open,
            value => Self::Dynamic(kind, Box::new(value)),
        }
    }
}

fn each<'a>(elements: impl Iterator<Item = (Value, &'a Type)>) -> Result<Value, ValueError> {
    let conformed = elements
        .enumerate()
        .map(|(index, (value, kind))| value.conform(kind).map_err(|error| error.below(Step::Index(index))));
    conformed.collect::<Result<_, _>>().map(Value::List)
}

fn object(
    mut members: BTreeMap<String, Value>,
    attributes: &BTreeMap<String, Type>,
) -> Result<Value, ValueError> {
    let conformed = attributes.iter().map(|(name, kind)| {
        let member = members.remove(name).unwrap_or_default();
        let member = member.conform(kind).map_err(|error| error.below(Step::Attribute(name.clone())))?;
        Ok((name.clone(), member))
    });
    let conformed = conformed.collect::<Result<_, _>>()?;
    match members.into_iter().next() {
        Some((name, extra)) => {
            let error = extra.view().is_not("left out (the schema has no such attribute)");
            Err(error.below(Step::Attribute(name)))
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
        Value::Null | Value::Unknown | Value::Refined(_) => Type::Dynamic,
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
    /// The same, seen from one step further out.
    pub(crate) fn below(self, step: Step) -> Self {
        Self { path: self.path.below(step), ..self }
    }
}
