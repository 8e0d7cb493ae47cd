//! Terraform's types, and their JSON form in schemas and dynamic values.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value as Json, json};

use crate::Step;

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
}

/// Why a text is no type.
#[derive(Debug, thiserror::Error)]
#[error("not a type in Terraform's JSON form: {0}")]
pub struct TypeError(String);

/// Deeper types than this are refused, as are deeper values: nobody writes them by hand.
pub(crate) const MAX_DEPTH: usize = 64;

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

    /// Whether a value of this type can hold parts that bring their own type.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_dynamic(),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
            Self::Object(attributes) => attributes.values().any(Self::has_dynamic),
        }
    }

    /// The type of a part, and the step to it told apart: a map's key from an object's attribute.
    pub(crate) fn part(&self, step: Step) -> (&Self, Step) {
        let kind = match (self, &step) {
            (Self::List(element) | Self::Set(element) | Self::Map(element), _) => Some(&**element),
            (Self::Tuple(kinds), Step::Index(index)) => kinds.get(*index),
            (Self::Object(attributes), Step::Key(name) | Step::Attribute(name)) => attributes.get(name),
            _ => None,
        };
        let step = match (self, step) {
            (Self::Object(_), Step::Key(name)) => Step::Attribute(name),
            (_, step) => step,
        };
        (kind.unwrap_or(&Self::Dynamic), step)
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
                let attributes = attributes.iter().map(|(name, kind)| (name.clone(), kind.to_json()));
                json!(["object", attributes.collect::<serde_json::Map<_, _>>()])
            }
        }
    }

    /// Reads Terraform's JSON form. The list of optional attributes an object may carry is ignored.
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
                let parsed = attributes.map(|(name, kind)| Ok((name.clone(), Self::parse(kind, depth)?)));
                Self::Object(parsed.collect::<Result<_, TypeError>>()?)
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
        }
    }
}
