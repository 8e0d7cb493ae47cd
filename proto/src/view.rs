//! Reading values into Rust types, with errors that say where.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Diagnostic, Number, Path, Value};

/// A part of a value and the way to it.
#[derive(Clone, Debug)]
pub struct View<'a> {
    value: &'a Value,
    path: Path,
}

/// A value that is not of the wanted shape. Names kinds only, never contents: those may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` must be {wanted}, not {found}")]
pub struct ValueError {
    /// Where.
    pub path: Path,
    /// What was wanted, such as "a string".
    pub wanted: String,
    /// What was there, such as "null".
    pub found: &'static str,
}

/// What can be read from a [`Value`] with [`View::read`].
///
/// `Option<T>` takes null as `None`, [`Field<T>`](crate::Field) knows null and unknown; everything else refuses
/// both. There is none for floats, which lose digits: read a [`Number`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a value",
    note = "structs need #[derive(Object)]; floats lose digits: read a `Number`"
)]
pub trait FromValue: Sized {
    /// Reads.
    ///
    /// # Errors
    /// If the value has another shape; the path may lead deeper than the view's own.
    fn from_value(view: &View<'_>) -> Result<Self, ValueError>;
}

impl<'a> View<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self { value, path: Path::root() }
    }

    /// The value seen.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The way to it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A member of an object, under the rules of [`Value::get`].
    #[must_use]
    pub fn get(&self, name: &str) -> Self {
        Self { value: self.value.get(name), path: self.path.clone().attribute(name) }
    }

    /// Reads into a Rust type.
    ///
    /// # Errors
    /// If the value has another shape.
    pub fn read<T: FromValue>(&self) -> Result<T, ValueError> {
        T::from_value(self)
    }

    /// Reads what may be decided only at apply: `None` while a part is unknown that `T` cannot hold.
    ///
    /// # Errors
    /// If the value has another shape.
    pub fn settled<T: FromValue>(&self) -> Result<Option<T>, ValueError> {
        match self.read() {
            Err(error) if error.found == UNKNOWN => Ok(None),
            read => read.map(Some),
        }
    }

    /// That this is an object, and neither null nor unknown.
    ///
    /// # Errors
    /// If it is something else.
    pub fn object(&self) -> Result<(), ValueError> {
        self.need(self.value.as_map(), "an object").map(drop)
    }

    /// The elements of a list, set or tuple; none for null.
    ///
    /// # Errors
    /// If it is something else, or unknown.
    pub fn elements(&self) -> Result<Vec<Self>, ValueError> {
        if self.value.is_null() {
            return Ok(Vec::new());
        }
        let elements = self.value.as_list().ok_or_else(|| self.is_not("a list"))?.iter().enumerate();
        Ok(elements.map(|(index, value)| Self { value, path: self.path.clone().index(index) }).collect())
    }

    /// The elements of a map; none for null.
    ///
    /// # Errors
    /// If it is something else, or unknown.
    pub fn entries(&self) -> Result<Vec<(&'a str, Self)>, ValueError> {
        if self.value.is_null() {
            return Ok(Vec::new());
        }
        let members = self.value.as_map().ok_or_else(|| self.is_not("a map"))?.iter();
        let entry = |(key, value): (&'a String, &'a Value)| {
            (key.as_str(), Self { value, path: self.path.clone().key(key) })
        };
        Ok(members.map(entry).collect())
    }

    /// The error that something else was wanted here.
    pub fn is_not(&self, wanted: impl Into<String>) -> ValueError {
        ValueError { path: self.path.clone(), wanted: wanted.into(), found: kind(self.value) }
    }

    fn need<T>(&self, read: Option<T>, wanted: &str) -> Result<T, ValueError> {
        read.ok_or_else(|| self.is_not(wanted))
    }
}

/// What a value is that is not known.
const UNKNOWN: &str = "a value known only after apply";

fn kind(value: &Value) -> &'static str {
    match value.plain() {
        Value::Null => "null",
        Value::Unknown | Value::Refined(_) => UNKNOWN,
        Value::Bool(_) => "a bool",
        Value::Number(_) => "this number",
        Value::String(_) => "this string",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
        Value::Dynamic(..) => "a value of unsettled type",
    }
}

impl From<ValueError> for Diagnostic {
    fn from(error: ValueError) -> Self {
        Self::error("Unsuitable value", error.to_string()).at(error.path)
    }
}

impl FromValue for Value {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        Ok(view.value.clone())
    }
}

impl FromValue for String {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_str().map(str::to_owned), "a string")
    }
}

impl FromValue for bool {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_bool(), "a bool")
    }
}

impl FromValue for Number {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_number().cloned(), "a number")
    }
}

impl FromValue for i64 {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_number().and_then(Number::as_i64), "a whole number")
    }
}

impl FromValue for u64 {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_number().and_then(Number::as_u64), "a whole number from 0 up")
    }
}

macro_rules! narrower {
    ($($number:ty),*) => {$(
        impl FromValue for $number {
            fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
                let number = view.value.as_number().and_then(Number::as_i64);
                let number = number.and_then(|number| Self::try_from(number).ok());
                number.ok_or_else(|| view.is_not(format!("a whole number from {} to {}", Self::MIN, Self::MAX)))
            }
        }

        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                i64::from(number).into()
            }
        }
    )*};
}

narrower!(i8, i16, i32, u8, u16, u32);

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        if view.value.is_null() { Ok(None) } else { view.read().map(Some) }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_list(), "a list")?;
        view.elements()?.iter().map(View::read).collect()
    }
}

impl<T: FromValue + Ord> FromValue for BTreeSet<T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        Vec::<T>::from_value(view).map(|elements| elements.into_iter().collect())
    }
}

impl<T: FromValue> FromValue for BTreeMap<String, T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.need(view.value.as_map(), "a map")?;
        view.entries()?.into_iter().map(|(key, entry)| Ok((key.to_owned(), entry.read()?))).collect()
    }
}

impl<T: Into<Value>> From<BTreeSet<T>> for Value {
    fn from(elements: BTreeSet<T>) -> Self {
        Self::list(elements.into_iter().map(Into::into))
    }
}
