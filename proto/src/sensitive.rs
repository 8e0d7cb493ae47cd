//! Values that nothing prints.

use std::fmt;

use crate::{FromValue, Value, ValueError, View};

/// A secret: `Debug` and `Display` show that there is one, and no more. A field of this type in an
/// [`Object`](crate::Object) makes a sensitive attribute.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// The secret itself.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The secret itself, taken out.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(secret: T) -> Self {
        Self(secret)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(sensitive)")
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

impl<T: Into<Value>> From<Sensitive<T>> for Value {
    fn from(secret: Sensitive<T>) -> Self {
        secret.0.into()
    }
}

impl<T: FromValue> FromValue for Sensitive<T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.read().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_printed() {
        let secret = Value::from("s3cret").view().read::<Option<Sensitive<String>>>().unwrap();
        assert_eq!(format!("{secret:?}"), "Some((sensitive))");
        assert_eq!(secret.as_ref().map(ToString::to_string).as_deref(), Some("(sensitive)"));
        assert_eq!(Value::from(secret), "s3cret".into());
    }
}
