//! Checks of single values, as data: each says what it accepts, and the message is made from that.

use std::{
    fmt,
    ops::{Bound, RangeBounds},
    ptr,
    str::FromStr,
    sync::Arc,
};

use crate::{Diagnostic, Number, Path, Step, Type, Value};

/// A check of one attribute's value. Displayed as what it accepts, such as `one of "keep", "untag"`.
///
/// Null is not judged ([`Attribute::required`](crate::Attribute::required) and [`Rule`](crate::Rule)
/// do that), and what is unknown is left alone until it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    OneOf(Vec<Value>),
    Length(Limits<usize>),
    Count(Limits<usize>),
    Range(Limits<Number>),
    Each(Box<Validator>),
    EachKey(Box<Validator>),
    Custom(String, Test),
}

/// A function of a value. Equal only to its clones.
#[derive(Clone)]
struct Test(Arc<dyn Fn(&Value) -> bool + Send + Sync>);

impl Validator {
    /// One of these values.
    pub fn one_of<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        Self(Kind::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Text of a length, in characters: `Validator::length(1..=64)`.
    pub fn length(characters: impl RangeBounds<usize>) -> Self {
        Self(Kind::Length(Limits::new(characters)))
    }

    /// A list, set or map of a size: `Validator::count(..=5)`.
    pub fn count(elements: impl RangeBounds<usize>) -> Self {
        Self(Kind::Count(Limits::new(elements)))
    }

    /// A list, set or map that is not empty.
    pub fn at_least_one() -> Self {
        Self::count(1..)
    }

    /// A number: `Validator::range(1..=65535)`.
    pub fn range<N: Into<Number> + Clone>(numbers: impl RangeBounds<N>) -> Self {
        let number = |bound: Bound<&N>| bound.map(|number| number.clone().into());
        Self(Kind::Range(Limits(number(numbers.start_bound()), number(numbers.end_bound()))))
    }

    /// Text of a form that a function tells: `Validator::text("a name of a-z and -", is_name)`.
    /// The form follows "must be".
    pub fn text(form: &str, accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::new(form, move |value| value.as_str().is_some_and(&accepts))
    }

    /// Text that a Rust type reads: `Validator::parses::<std::net::IpAddr>("an IP address")`.
    pub fn parses<T: FromStr>(form: &str) -> Self {
        Self::text(form, |text| text.parse::<T>().is_ok())
    }

    /// A value of a form that a function tells. It gets values that are wholly known and not null.
    pub fn new(form: &str, accepts: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self(Kind::Custom(form.to_owned(), Test(Arc::new(accepts))))
    }

    /// Each element of a list, set or map.
    #[must_use]
    pub fn each(self) -> Self {
        Self(Kind::Each(Box::new(self)))
    }

    /// Each key of a map.
    #[must_use]
    pub fn each_key(self) -> Self {
        Self(Kind::EachKey(Box::new(self)))
    }

    /// Everything wrong with a value of a type.
    pub(crate) fn check(&self, value: &Value, kind: &Type, path: &Path, faults: &mut Vec<Diagnostic>) {
        let value = value.plain();
        match &self.0 {
            _ if value.is_null() || value.is_unknown() => {}
            Kind::Each(inner) => {
                for (step, element) in elements(value) {
                    let (part, step) = kind.part(step);
                    // Elements of sets have no address.
                    let set = matches!(kind, Type::Set(_));
                    let path = if set { path.clone() } else { path.clone().then(step) };
                    inner.check(element, part, &path, faults);
                }
            }
            Kind::EachKey(inner) => {
                for key in value.as_map().into_iter().flatten().map(|(key, _)| key) {
                    if !inner.accepts(&key.as_str().into()) {
                        let problem = format!("has the key {key:?}; each must be {inner}");
                        faults.push(unsuitable(path, &problem));
                    }
                }
            }
            _ if self.accepts(value) => {}
            _ => faults.push(unsuitable(path, &format!("must be {self}"))),
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        match (&self.0, value) {
            // Unknown elements of a set may turn out to be equal: too few is sure, too many is not.
            (Kind::Count(limits), Value::List(elements)) => limits.accept(value, elements.len()),
            (Kind::Count(limits), Value::Map(members)) => limits.accept(value, members.len()),
            _ if !value.is_wholly_known() => true,
            (Kind::OneOf(accepted), value) => accepted.contains(value),
            (Kind::Length(limits), Value::String(text)) => limits.contains(&text.chars().count()),
            (Kind::Range(limits), Value::Number(number)) => limits.contains(number),
            (Kind::Custom(_, test), value) => (test.0)(value),
            _ => false,
        }
    }
}

/// The complaint about one value. It names no contents: those may be secret.
pub(crate) fn unsuitable(path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error("Unsuitable value", format!("`{path}` {problem}.")).at(path.clone())
}

fn elements(value: &Value) -> Vec<(Step, &Value)> {
    match value {
        Value::List(elements) => {
            elements.iter().enumerate().map(|(at, one)| (Step::Index(at), one)).collect()
        }
        Value::Map(members) => members.iter().map(|(key, one)| (Step::Key(key.clone()), one)).collect(),
        _ => Vec::new(),
    }
}

/// What follows "must be".
impl fmt::Display for Validator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::OneOf(values) => {
                let shown: Vec<_> = values.iter().map(shown).collect();
                write!(out, "one of {}", shown.join(", "))
            }
            Kind::Length(limits) => write!(out, "text of {limits} characters"),
            Kind::Count(limits) => write!(out, "a collection of {limits} elements"),
            Kind::Range(limits) => write!(out, "a number of {limits}"),
            Kind::Each(inner) => write!(out, "a collection whose elements are each {inner}"),
            Kind::EachKey(inner) => write!(out, "a map whose keys are each {inner}"),
            Kind::Custom(form, _) => out.write_str(form),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => "null".to_owned(),
        _ => "a collection".to_owned(),
    }
}

/// A range as data.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limits<N>(Bound<N>, Bound<N>);

impl<N: Clone + PartialOrd> Limits<N> {
    fn new(range: impl RangeBounds<N>) -> Self {
        Self(range.start_bound().cloned(), range.end_bound().cloned())
    }

    fn contains(&self, number: &N) -> bool {
        (self.0.clone(), self.1.clone()).contains(number)
    }
}

impl Limits<usize> {
    fn accept(&self, value: &Value, count: usize) -> bool {
        let not_too_few = Limits(self.0, Bound::Unbounded).contains(&count);
        not_too_few && (self.contains(&count) || !value.is_wholly_known())
    }
}

impl<N: fmt::Display> fmt::Display for Limits<N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, &self.1) {
            (Bound::Unbounded, Bound::Unbounded) => out.write_str("any number of"),
            (Bound::Included(from), Bound::Unbounded) => write!(out, "at least {from}"),
            (Bound::Excluded(from), Bound::Unbounded) => write!(out, "more than {from}"),
            (Bound::Unbounded, Bound::Included(to)) => write!(out, "at most {to}"),
            (Bound::Unbounded, Bound::Excluded(to)) => write!(out, "less than {to}"),
            (Bound::Included(from), Bound::Included(to)) => write!(out, "{from} to {to}"),
            (Bound::Included(from), Bound::Excluded(to)) => write!(out, "at least {from} and less than {to}"),
            (Bound::Excluded(from), Bound::Included(to)) => write!(out, "more than {from} and at most {to}"),
            (Bound::Excluded(from), Bound::Excluded(to)) => {
                write!(out, "more than {from} and less than {to}")
            }
        }
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a function")
    }
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl Eq for Test {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages, one per line.
    fn check(validator: &Validator, kind: &Type, value: impl Into<Value>, expected: &str) {
        let value = value.into().conform(kind).unwrap();
        let mut faults = Vec::new();
        validator.check(&value, kind, &"a".into(), &mut faults);
        let shown: Vec<_> = faults
            .iter()
            .map(|fault| {
                assert!(fault.attribute.is_some(), "{fault:?}");
                fault.detail.clone()
            })
            .collect();
        assert_eq!(shown.join("\n"), expected, "{validator}: {value:?}");
    }

    #[test]
    fn single_values() {
        let choice = Validator::one_of(["keep", "untag"]);
        check(&choice, &Type::String, "untag", "");
        check(&choice, &Type::String, "drop", "`a` must be one of \"keep\", \"untag\".");
        check(&choice, &Type::String, Value::Null, "");
        check(&choice, &Type::String, Value::Unknown, "");
        check(&Validator::one_of([1_i64, 2]), &Type::Number, 3_i64, "`a` must be one of 1, 2.");
        check(&Validator::length(1..=3), &Type::String, "äöü", "");
        check(&Validator::length(1..=3), &Type::String, "", "`a` must be text of 1 to 3 characters.");
        check(&Validator::range(1_i64..), &Type::Number, 0_i64, "`a` must be a number of at least 1.");
        check(&Validator::range(..10_i64), &Type::Number, 10_i64, "`a` must be a number of less than 10.");
        let address = Validator::parses::<std::net::IpAddr>("an IP address");
        check(&address, &Type::String, "::1", "");
        check(&address, &Type::String, "localhost", "`a` must be an IP address.");
        check(
            &Validator::text("a word", |text| !text.contains(' ')),
            &Type::Dynamic,
            "a b",
            "`a` must be a word.",
        );
    }

    #[test]
    fn collections() {
        let list = Type::list(Type::String);
        let unknown = || Value::list([Value::Unknown, "b".into()]);
        check(
            &Validator::at_least_one(),
            &list,
            Value::list([]),
            "`a` must be a collection of at least 1 elements.",
        );
        check(&Validator::count(..2), &Type::set(Type::String), unknown(), "");
        check(
            &Validator::count(3..),
            &Type::set(Type::String),
            unknown(),
            "`a` must be a collection of at least 3 elements.",
        );
        let each = Validator::one_of(["a"]).each();
        check(&each, &list, unknown(), "`a[1]` must be one of \"a\".");
        check(&each, &Type::set(Type::String), unknown(), "`a` must be one of \"a\".");
        let map = Type::map(Type::String);
        check(
            &each,
            &map,
            Value::object([("k", "b")].map(|(key, one)| (key, one.into()))),
            "`a[\"k\"]` must be one of \"a\".",
        );
        let lists = Type::list(list);
        check(&each.each(), &lists, Value::list([unknown()]), "`a[0][1]` must be one of \"a\".");
        let key = Validator::length(1..).each_key();
        let expected = "`a` has the key \"\"; each must be text of at least 1 characters.";
        check(&key, &map, Value::object([("", Value::Unknown)]), expected);
    }
}
