//! Terraform's values. Knows no encoding and no schema.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use crate::{Number, Path, Refinement, Type, path::Step, view::View};

/// A value of Terraform's language.
///
/// Which of list, set and tuple a `List` is, and which of map and object a `Map`, says the
/// [`Type`] it belongs to. Sets are kept sorted and without doubles, text in normal form C, so
/// `==` compares as Terraform does: two unknown values are the same, whatever is known of them
/// already. `Debug` prints everything, secrets included: log names of attributes, not values.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Absent: not written, or taken away.
    #[default]
    Null,
    /// Not known before apply.
    Unknown,
    /// Not known before apply either, but something about it is. Ask [`Value::is_unknown`] for both:
    /// a pattern `Value::Unknown` is only the one.
    Refined(Box<Refinement>),
    /// `true` or `false`.
    Bool(bool),
    /// A decimal.
    Number(Number),
    /// Text.
    String(String),
    /// A list, set or tuple.
    List(Vec<Value>),
    /// A map or object.
    Map(BTreeMap<String, Value>),
    /// A value in a place of type [`Type::Dynamic`], with the type it brings.
    /// Never holds another `Dynamic` directly.
    Dynamic(Type, Box<Value>),
}

static NULL: Value = Value::Null;
static UNKNOWN: Value = Value::Unknown;

impl Value {
    /// An object or map.
    pub fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// A list, set or tuple.
    pub fn list(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::List(elements.into_iter().collect())
    }

    /// A member of an object or map: null if there is none, unknown if the whole is unknown.
    pub fn get(&self, name: &str) -> &Self {
        match self.plain() {
            Self::Map(members) => members.get(name).unwrap_or(&NULL),
            Self::Unknown | Self::Refined(_) => &UNKNOWN,
            _ => &NULL,
        }
    }

    /// The part a path leads to, under the rules of [`Value::get`].
    pub fn at(&self, path: &Path) -> &Self {
        path.steps().iter().fold(self, |value, step| match step {
            Step::Attribute(name) | Step::Key(name) => value.get(name),
            Step::Index(index) => match value.plain() {
                Self::Unknown | Self::Refined(_) => &UNKNOWN,
                other => other.as_list().and_then(|elements| elements.get(*index)).unwrap_or(&NULL),
            },
        })
    }

    /// Sets a member. Anything that is not an object becomes one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Self>) {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(BTreeMap::new());
        }
        if let Self::Map(members) = self {
            members.insert(name.into(), value.into());
        }
    }

    /// Sets a member, for building up.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Self>) -> Self {
        self.set(name, value);
        self
    }

    /// The value without the type it brings.
    pub fn plain(&self) -> &Self {
        match self {
            Self::Dynamic(_, inner) => inner.plain(),
            other => other,
        }
    }

    /// As [`Value::plain`], taken apart.
    pub(crate) fn into_plain(self) -> Self {
        match self {
            Self::Dynamic(_, inner) => inner.into_plain(),
            other => other,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self.plain(), Self::Null)
    }

    /// Whether this itself is unknown; parts of a known value may be.
    pub fn is_unknown(&self) -> bool {
        matches!(self.plain(), Self::Unknown | Self::Refined(_))
    }

    /// What is known of an unknown value, if something is.
    pub fn refinement(&self) -> Option<&Refinement> {
        if let Self::Refined(refinement) = self.plain() { Some(refinement) } else { None }
    }

    /// Whether this itself is known; parts may not be. Null is known.
    pub fn is_known(&self) -> bool {
        !self.is_unknown()
    }

    /// Whether this and all its parts are known.
    pub fn is_wholly_known(&self) -> bool {
        match self.plain() {
            Self::Unknown | Self::Refined(_) => false,
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(members) => members.values().all(Self::is_wholly_known),
            _ => true,
        }
    }

    /// The first part that is unknown.
    pub fn first_unknown(&self) -> Option<Path> {
        let mut found = None;
        self.walk(&mut |path, value| {
            if found.is_none() && value.is_unknown() {
                found = Some(path.clone());
            }
        });
        found
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self.plain() { Some(text) } else { None }
    }

    /// The truth, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self.plain() { Some(*truth) } else { None }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self.plain() { Some(number) } else { None }
    }

    /// The elements, if this is a list, set or tuple.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(elements) = self.plain() { Some(elements) } else { None }
    }

    /// The members, if this is a map or object.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Map(members) = self.plain() { Some(members) } else { None }
    }

    /// This value together with its path, for reading with errors that say where.
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// Shows every part, outside in. Members of maps get [`Step::Attribute`] as those of objects do.
    pub fn walk(&self, visit: &mut dyn FnMut(&Path, &Self)) {
        self.walk_from(&mut Path::root(), visit);
    }

    fn walk_from(&self, path: &mut Path, visit: &mut dyn FnMut(&Path, &Self)) {
        visit(path, self);
        match self.plain() {
            Self::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    path.inside(Step::Index(index), |path| element.walk_from(path, visit));
                }
            }
            Self::Map(members) => {
                for (name, member) in members {
                    path.inside(Step::Attribute(name.clone()), |path| member.walk_from(path, visit));
                }
            }
            _ => {}
        }
    }

    /// Replaces every part, outside in: what `change` answers is entered again for its own parts.
    #[must_use]
    pub fn map(self, change: &mut dyn FnMut(&Path, Self) -> Self) -> Self {
        self.map_from(&mut Path::root(), change)
    }

    fn map_from(self, path: &mut Path, change: &mut dyn FnMut(&Path, Self) -> Self) -> Self {
        change(path, self).map_parts(path, change)
    }

    fn map_parts(self, path: &mut Path, change: &mut dyn FnMut(&Path, Self) -> Self) -> Self {
        match self {
            Self::List(elements) => Self::list(elements.into_iter().enumerate().map(|(index, element)| {
                path.inside(Step::Index(index), |path| element.map_from(path, change))
            })),
            Self::Map(members) => Self::object(members.into_iter().map(|(name, member)| {
                let step = Step::Attribute(name.clone());
                (name, path.inside(step, |path| member.map_from(path, change)))
            })),
            Self::Dynamic(kind, inner) => Self::Dynamic(kind, Box::new(inner.map_parts(path, change))),
            other => other,
        }
    }

    /// Kinds of values in the order in which they sort.
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Unknown | Self::Refined(_) => 1,
            Self::Bool(_) => 2,
            Self::Number(_) => 3,
            Self::String(_) => 4,
            Self::List(_) => 5,
            Self::Map(_) => 6,
            Self::Dynamic(..) => 7,
        }
    }
}

/// By kind, then by content.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::String(one), Self::String(other)) => one.cmp(other),
            (Self::List(one), Self::List(other)) => one.cmp(other),
            (Self::Map(one), Self::Map(other)) => one.cmp(other),
            (Self::Dynamic(kind, one), Self::Dynamic(other_kind, other)) => {
                kind.cmp(other_kind).then_with(|| one.cmp(other))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null | Self::Unknown | Self::Refined(_) => {}
            Self::Bool(truth) => truth.hash(state),
            Self::Number(number) => number.hash(state),
            Self::String(text) => text.hash(state),
            Self::List(elements) => elements.hash(state),
            Self::Map(members) => members.hash(state),
            Self::Dynamic(kind, inner) => (kind, inner).hash(state),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Self {
        Self::list(elements.into_iter().map(Into::into))
    }
}

impl<T: Into<Value>> From<BTreeMap<String, T>> for Value {
    fn from(members: BTreeMap<String, T>) -> Self {
        Self::object(members.into_iter().map(|(name, member)| (name, member.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with a dynamic attribute is dynamic as a whole, and its parts are parts all the same.
    #[test]
    fn changes_reach_into_dynamic_places() {
        let kind = Type::Tuple(vec![Type::object([("id", Type::String)])]);
        let block = |id: Value| {
            let elements = Value::list([Value::object([("id", id)])]);
            Value::object([("block", Value::Dynamic(kind.clone(), Box::new(elements)))])
        };
        let changed = block(Value::Unknown).map(&mut |path, value| {
            if value.is_unknown() { path.to_string().into() } else { value }
        });
        assert_eq!(changed, block("block[0].id".into()));
    }
}
