//! What is known of values before they are. Knows no encoding.

use std::ops::{Bound, RangeBounds};

use crate::{Number, Type, Value, conform::normalized};

/// What is known already about a value that is not known itself.
///
/// Terraform tells it of its own unknown values: `"pre-${…}"` is not null and begins with `pre-`. A provider
/// that plans an unknown value may promise it too, so that conditions in a configuration can be decided early:
///
/// ```
/// use tfplugin_rs::{Refinement, Value};
///
/// let planned = Value::object([("arn", Value::Unknown)]);
/// let planned = planned.with("arn", Refinement::prefix("arn:aws:"));
/// assert!(planned.get("arn").is_unknown());
/// ```
///
/// A promise binds: Terraform refuses the result of an apply, and a second plan, that breaks it.
///
/// Source: package `msgpack` of go-cty, `unknown.go`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refinement {
    nullable: bool,
    limit: Limit,
}

/// The part of a [`Refinement`] that depends on the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing more is known.
    None,
    /// How a string begins.
    Prefix(String),
    /// Between which bounds a number lies.
    Number(Bound<Number>, Bound<Number>),
    /// How many elements a list, set or map has at least, and at most.
    Length(u64, Option<u64>),
}

/// As much of a text as is told, and as long as the digits of a bound may be. Terraform refuses descriptions
/// beyond 1 KiB.
const MAX_TEXT: usize = 256;

impl Refinement {
    /// A value that will not be null.
    pub fn not_null() -> Self {
        Self { nullable: false, limit: Limit::None }
    }

    /// A string that will begin so, and not be null. Of more than 256 bytes the first count.
    ///
    /// End it where no accent can follow: `e` is no beginning of `é`.
    pub fn prefix(beginning: impl Into<String>) -> Self {
        Self::limited(Limit::Prefix(beginning.into()))
    }

    /// A number that will lie in a range, and not be null: `Refinement::number(1_i64..=10)`. Bounds of more
    /// than 256 digits are left out.
    pub fn number<N: Clone + Into<Number>>(range: impl RangeBounds<N>) -> Self {
        let bound = |bound: Bound<&N>| bound.map(|number| number.clone().into());
        Self::limited(Limit::Number(bound(range.start_bound()), bound(range.end_bound())))
    }

    /// A list, set or map that will have so many elements, and not be null: `Refinement::length(1..)`.
    pub fn length(range: impl RangeBounds<u64>) -> Self {
        let least = match range.start_bound() {
            Bound::Included(count) => *count,
            Bound::Excluded(count) => count.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let most = match range.end_bound() {
            Bound::Included(count) => Some(*count),
            Bound::Excluded(count) => Some(count.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self::limited(Limit::Length(least, most))
    }

    fn limited(limit: Limit) -> Self {
        Self::new(false, limit)
    }

    /// Terraform crashes on contradictions, and one that allows everything says nothing: both are left out.
    pub(crate) fn new(nullable: bool, limit: Limit) -> Self {
        let limit = limit.shortened();
        let tells = match &limit {
            Limit::None => true,
            Limit::Prefix(beginning) => !beginning.is_empty(),
            Limit::Number(Bound::Unbounded, Bound::Unbounded) | Limit::Length(0, None) => false,
            Limit::Number(lower, upper) => !is_empty(lower, upper),
            Limit::Length(least, most) => most.is_none_or(|most| *least <= most),
        };
        Self { nullable, limit: if tells { limit } else { Limit::None } }
    }

    /// Whether the value may turn out to be null.
    pub fn may_be_null(&self) -> bool {
        self.nullable
    }

    /// What else is known.
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Whether the value may turn out to be this one. One that is unknown in turn always may.
    pub fn admits(&self, value: &Value) -> bool {
        match (value.plain(), &self.limit) {
            (Value::Null, _) => self.nullable,
            (Value::Unknown | Value::Refined(_), _) | (_, Limit::None) => true,
            (Value::String(text), Limit::Prefix(beginning)) => text.starts_with(beginning),
            (Value::Number(number), Limit::Number(lower, upper)) => {
                RangeBounds::<Number>::contains(&(lower.as_ref(), upper.as_ref()), number)
            }
            (Value::List(elements), Limit::Length(least, most)) => {
                // Unknown elements of a set may turn out to be the same.
                !value.is_wholly_known() || fits(elements.len(), *least, *most)
            }
            (Value::Map(members), Limit::Length(least, most)) => fits(members.len(), *least, *most),
            _ => false,
        }
    }

    /// Whether values of this type can be described so.
    pub(crate) fn suits(&self, kind: &Type) -> bool {
        match &self.limit {
            Limit::None => true,
            Limit::Prefix(_) => *kind == Type::String,
            Limit::Number(..) => *kind == Type::Number,
            Limit::Length(..) => matches!(kind, Type::List(_) | Type::Set(_) | Type::Map(_)),
        }
    }
}

impl Limit {
    fn shortened(self) -> Self {
        match self {
            Self::Prefix(beginning) => {
                let mut beginning = normalized(beginning);
                beginning.truncate(beginning.floor_char_boundary(MAX_TEXT));
                Self::Prefix(beginning)
            }
            Self::Number(lower, upper) => Self::Number(shortened(lower), shortened(upper)),
            other => other,
        }
    }
}

fn shortened(bound: Bound<Number>) -> Bound<Number> {
    match &bound {
        Bound::Included(number) | Bound::Excluded(number) if number.to_string().len() > MAX_TEXT => {
            Bound::Unbounded
        }
        _ => bound,
    }
}

fn fits(count: usize, least: u64, most: Option<u64>) -> bool {
    let count = count as u64;
    count >= least && most.is_none_or(|most| count <= most)
}

fn is_empty(lower: &Bound<Number>, upper: &Bound<Number>) -> bool {
    match (lower, upper) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower >= upper,
    }
}

impl From<Refinement> for Value {
    fn from(refinement: Refinement) -> Self {
        if refinement.nullable && refinement.limit == Limit::None {
            Self::Unknown
        } else {
            Self::Refined(Box::new(refinement))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn a_promise_admits_what_keeps_it() {
        let ones = |count: usize| Value::list((0..count).map(|_| Value::from("1")));
        for (refinement, admitted, refused) in [
            (Refinement::not_null(), Value::from("x"), Value::Null),
            (Refinement::prefix("arn:"), "arn:aws".into(), "ar".into()),
            (Refinement::number(1_i64..=3), number("3").into(), number("3.01").into()),
            (Refinement::number(number("0.5")..), number("0.5").into(), number("0.4").into()),
            (Refinement::number(..number("1")), number("0.9").into(), number("1").into()),
            (Refinement::length(1..3), ones(2), ones(3)),
            (Refinement::length(2..), ones(2), ones(1)),
            (Refinement::length(..=1), Value::object([("a", 1_i64)].map(|(k, v)| (k, v.into()))), ones(2)),
        ] {
            assert!(refinement.admits(&admitted), "{refinement:?} {admitted:?}");
            assert!(!refinement.admits(&refused), "{refinement:?} {refused:?}");
            assert!(refinement.admits(&Value::Unknown));
            assert!(!refinement.admits(&Value::Null));
        }
    }

    #[test]
    fn what_terraform_would_choke_on_is_left_out() {
        for refinement in [
            Refinement::prefix(""),
            Refinement::number::<Number>(..),
            Refinement::number((Bound::Included(2_i64), Bound::Included(1))),
            Refinement::number((Bound::Excluded(1_i64), Bound::Included(1))),
            Refinement::number(number("1e-300")..),
            Refinement::length(..),
            Refinement::length((Bound::Included(3), Bound::Included(2))),
        ] {
            assert_eq!(refinement, Refinement::not_null());
        }
        let long = Refinement::prefix("é".repeat(200));
        assert_eq!(*long.limit(), Limit::Prefix("é".repeat(128)));
    }

    #[test]
    fn unknown_values_are_equal_whatever_is_known_of_them() {
        let refined = Value::from(Refinement::prefix("a"));
        assert!(refined.is_unknown() && !refined.is_wholly_known());
        assert_eq!(refined, Value::Unknown);
        assert_eq!(refined.cmp(&Value::Unknown), std::cmp::Ordering::Equal);
        assert_ne!(refined, Value::Null);
    }
}
