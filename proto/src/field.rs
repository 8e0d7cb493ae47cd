//! Parts of a struct that may be absent, or not known yet.

use crate::{FromValue, Value, ValueError, View};

/// A value that may be absent, or known only after apply: two different things, and neither is a value.
///
/// What a provider computes is one of these in its [`Object`](crate::Object): unknown in a plan, known in a
/// state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field<T> {
    /// Absent.
    #[default]
    Null,
    /// Not decided before apply.
    Unknown,
    /// Decided.
    Known(T),
}

impl<T> Field<T> {
    /// The value, if there is one and it is known.
    pub fn known(self) -> Option<T> {
        if let Self::Known(value) = self { Some(value) } else { None }
    }

    /// Whether it is not decided yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether it is decided to be absent.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The same of a reference.
    pub fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Null => Field::Null,
            Self::Unknown => Field::Unknown,
            Self::Known(value) => Field::Known(value),
        }
    }

    /// Changes the value, if there is one and it is known.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Null => Field::Null,
            Self::Unknown => Field::Unknown,
            Self::Known(value) => Field::Known(change(value)),
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl<T: Into<Value>> From<Field<T>> for Value {
    fn from(field: Field<T>) -> Self {
        match field {
            Field::Null => Self::Null,
            Field::Unknown => Self::Unknown,
            Field::Known(value) => value.into(),
        }
    }
}

/// A value with an unknown part that `T` cannot hold is unknown as a whole: `Field<Vec<Field<String>>>`
/// keeps the elements that are known, `Field<Vec<String>>` does not.
impl<T: FromValue> FromValue for Field<T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        if view.value().is_null() {
            return Ok(Self::Null);
        }
        Ok(view.settled()?.map_or(Self::Unknown, Self::Known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let unknown = || Value::list(["a".into(), Value::Unknown]);
        for (value, expected) in [
            (Value::Null, Field::Null),
            (Value::Unknown, Field::Unknown),
            (vec!["a"].into(), Field::Known(vec!["a".to_owned()])),
            (unknown(), Field::Unknown),
        ] {
            assert_eq!(value.view().read(), Ok(expected));
        }
        let parts = unknown().view().read::<Field<Vec<Field<String>>>>().unwrap();
        assert_eq!(Value::from(parts), unknown());
        let error = Value::list([true.into()]).view().read::<Field<Vec<String>>>().unwrap_err();
        assert_eq!(error.to_string(), "`[0]` must be a string, not a bool");
    }
}
