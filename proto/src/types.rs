//! Terraform's types, and their JSON form in schemas and dynamic values.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value as Json, json};

use crate::{Step, conform::normalized, limits::MAX_DEPTH};

/// The type of a [`Value`](crate::Value).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Any type; the value brings its own.
    Dynamic,
    /// `true` or `false`.
    Bool,
    /// A decimal of any precision.
    Number,
    /// Unicode text in normal form C.
    String,
    /// Elements in order.
    List(Box<Type>),
    /// Different elements without order.
    Set(Box<Type>),
    /// Elements by name.
    Map(Box<Type>),
    /// A fixed number of elements, each with its type.
    Tuple(Vec<Type>),
    /// A fixed set of attributes, each with its type.
    Object(BTreeMap<String, Type>),
    /// The type of an attribute in an `Object` that a configuration may leave out, which makes it null.
    /// For types in schemas; of values all attributes are there.
    Optional(Box<Type>),
}

/// Why a text is no type.
#[derive(Debug, thiserror::Error)]
#[error("not a type in Terraform's JSON form: {0}")]
pub struct TypeError(String);

impl Type {
    /// A list of `element`.
    pub fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    /// A set of `element`.
    pub fn set(element: Self) -> Self {
        Self::Set(Box::new(element))
    }

    /// A map of `element`.
    pub fn map(element: Self) -> Self {
        Self::Map(Box::new(element))
    }

    /// An object with these attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, kind)| (name.into(), kind)).collect())
    }

    /// The type of an attribute that a configuration may leave out, for [`Type::object`].
    pub fn optional(attribute: Self) -> Self {
        Self::Optional(Box::new(attribute))
    }

    /// The type that values of this type have: all attributes are there.
    #[must_use]
    pub fn without_optional(&self) -> Self {
        match self {
            Self::Dynamic | Self::Bool | Self::Number | Self::String => self.clone(),
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => Self::Tuple(elements.iter().map(Self::without_optional).collect()),
            Self::Object(attributes) => {
                Self::object(attributes.iter().map(|(name, kind)| (name, kind.without_optional())))
            }
            Self::Optional(attribute) => attribute.without_optional(),
        }
    }

    /// Whether a value of this type can hold parts that bring their own type.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) | Self::Optional(element) => {
                element.has_dynamic()
            }
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
            Self::Object(attributes) => attributes.values().any(Self::has_dynamic),
        }
    }

    /// The type of a part, and the step to it told apart: a map's key from an object's attribute.
    pub(crate) fn part(&self, step: Step) -> (&Self, Step) {
        let kind = match (self, &step) {
            (Self::List(element) | Self::Set(element) | Self::Map(element), _) => Some(&**element),
            (Self::Tuple(kinds), Step::Index(index)) => kinds.get(*index),
            (Self::Object(attributes), Step::Key(name) | Step::Attribute(name)) => {
                attributes.get(name).map(Self::required)
            }
            _ => None,
        };
        let step = match (self, step) {
            (Self::Object(_), Step::Key(name)) => Step::Attribute(name),
            (_, step) => step,
        };
        (kind.unwrap_or(&Self::Dynamic), step)
    }

    /// Without the mark that it may be left out.
    pub(crate) fn required(&self) -> &Self {
        if let Self::Optional(attribute) = self { attribute.required() } else { self }
    }

    /// Terraform's JSON form, such as `["list","string"]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Dynamic => json!("dynamic"),
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Tuple(elements) => json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Object(attributes) => {
                let optional = attributes.iter().filter(|(_, kind)| matches!(kind, Self::Optional(_)));
                let optional: Vec<_> = optional.map(|(name, _)| name).collect();
                let attributes = attributes.iter().map(|(name, kind)| (name.clone(), kind.to_json()));
                let attributes = attributes.collect::<serde_json::Map<_, _>>();
                if optional.is_empty() {
                    json!(["object", attributes])
                } else {
                    json!(["object", attributes, optional])
                }
            }
            Self::Optional(attribute) => attribute.to_json(),
        }
    }

    /// Reads Terraform's JSON form.
    ///
    /// # Errors
    /// If it is not such a form, or nested more than 64 deep.
    pub fn from_json(json: &Json) -> Result<Self, TypeError> {
        Self::parse(json, MAX_DEPTH)
    }

    fn parse(json: &Json, depth: usize) -> Result<Self, TypeError> {
        let refused = || TypeError(json.to_string().chars().take(80).collect());
        let depth = depth.checked_sub(1).ok_or_else(refused)?;
        if let Some(name) = json.as_str() {
            return match name {
                "dynamic" => Ok(Self::Dynamic),
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                _ => Err(refused()),
            };
        }
        let (Some(kind), Some(inner)) = (json[0].as_str(), json.get(1)) else { return Err(refused()) };
        Ok(match kind {
            "list" => Self::list(Self::parse(inner, depth)?),
            "set" => Self::set(Self::parse(inner, depth)?),
            "map" => Self::map(Self::parse(inner, depth)?),
            "tuple" => {
                let elements = inner.as_array().ok_or_else(refused)?;
                Self::Tuple(
                    elements.iter().map(|element| Self::parse(element, depth)).collect::<Result<_, _>>()?,
                )
            }
            "object" => {
                let attributes = inner.as_object().ok_or_else(refused)?.iter();
                let parsed =
                    attributes.map(|(name, kind)| Ok((normalized(name.clone()), Self::parse(kind, depth)?)));
                let mut attributes = parsed.collect::<Result<BTreeMap<_, _>, TypeError>>()?;
                let optional = json.get(2).map(|names| names.as_array().ok_or_else(refused)).transpose()?;
                for name in optional.into_iter().flatten() {
                    let name = normalized(name.as_str().ok_or_else(refused)?.to_owned());
                    let kind = attributes.remove(&name).ok_or_else(refused)?;
                    attributes.insert(name, Self::optional(kind.required().clone()));
                }
                Self::Object(attributes)
            }
            _ => return Err(refused()),
        })
    }
}

/// As in Terraform's language: `list(string)`.
impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => out.write_str("any"),
            Self::Bool => out.write_str("bool"),
            Self::Number => out.write_str("number"),
            Self::String => out.write_str("string"),
            Self::List(element) => write!(out, "list({element})"),
            Self::Set(element) => write!(out, "set({element})"),
            Self::Map(element) => write!(out, "map({element})"),
            Self::Tuple(elements) => write!(out, "tuple of {} elements", elements.len()),
            Self::Object(_) => out.write_str("object"),
            Self::Optional(attribute) => attribute.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_travel_as_json() {
        for (text, hcl) in [
            (r#""dynamic""#, "any"),
            (r#"["list",["set","number"]]"#, "list(set(number))"),
            (r#"["map","bool"]"#, "map(bool)"),
            (r#"["tuple",["string","number"]]"#, "tuple of 2 elements"),
            (r#"["object",{"a":"string","b":"bool"}]"#, "object"),
            (r#"["object",{"a":"string","b":["list","bool"]},["b"]]"#, "object"),
        ] {
            let kind = Type::from_json(&text.parse().unwrap()).unwrap();
            assert_eq!((kind.to_json().to_string(), kind.to_string()), (text.to_owned(), hcl.to_owned()));
        }
    }

    #[test]
    fn values_have_all_attributes() {
        let inner = Type::object([("a", Type::optional(Type::String))]);
        let kind = Type::list(Type::object([("b", Type::optional(inner))]));
        let expected = Type::list(Type::object([("b", Type::object([("a", Type::String)]))]));
        assert_eq!(kind.without_optional(), expected);
    }

    #[test]
    fn other_json_is_no_type() {
        let deep = "[\"list\",".repeat(64) + "\"bool\"" + &"]".repeat(64);
        for text in [
            "null",
            "[]",
            r#""text""#,
            r#"["list"]"#,
            r#"["list","text"]"#,
            r#"["tuple","bool"]"#,
            r#"["object",[]]"#,
            r#"["object",{"a":"bool"},["b"]]"#,
            r#"["object",{"a":"bool"},"a"]"#,
            r#"["object",{"a":"bool"},[1]]"#,
            &deep,
        ] {
            assert!(Type::from_json(&text.parse().unwrap()).is_err(), "{text}");
        }
    }
}
