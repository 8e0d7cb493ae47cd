//! What is done with an attribute when a configuration is checked and a change is planned. Terraform
//! never sees it; [`Schema::plan`](super::Schema::plan) and
//! [`Schema::validate`](super::Schema::validate) act on it.

mod faults;

use std::{fmt, ptr, sync::Arc};

use super::{Attribute, Mode, NestedBlock, Nesting, Rule};
use crate::{Validator, Value};

/// What is said about an attribute beyond what Terraform is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Behaviour {
    pub(super) default: Option<Value>,
    pub(super) validators: Vec<Validator>,
    pub(super) rules: Vec<Rule>,
    pub(super) replaces: Option<Replaces>,
    pub(super) same: Option<Comparison>,
    pub(super) inputs: Inputs,
}

/// What makes a computed attribute unknown in an update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Inputs {
    /// Any change of the resource.
    #[default]
    All,
    /// A change of one of these; none: it stays what it was.
    Named(Vec<String>),
}

impl Inputs {
    fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Named(names.into_iter().map(Into::into).collect())
    }
}

/// Which changes cannot be made in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Replaces {
    Always,
    If(Comparison),
}

impl Replaces {
    /// Unknown values replace: were the answer given only when they are known, apply would
    /// do something else than was planned.
    pub(super) fn fires(&self, prior: &Value, planned: &Value) -> bool {
        match self {
            Self::If(replaces) if planned.is_wholly_known() => replaces.holds(prior, planned),
            _ => true,
        }
    }
}

/// A function of the value before and the value wanted. Equal only to its clones.
#[derive(Clone)]
pub(super) struct Comparison(Arc<Compare>);

type Compare = dyn Fn(&Value, &Value) -> bool + Send + Sync;

impl Comparison {
    fn new(compare: impl Fn(&Value, &Value) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(compare))
    }

    pub(super) fn holds(&self, prior: &Value, wanted: &Value) -> bool {
        (self.0)(prior, wanted)
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a function")
    }
}

impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl Eq for Comparison {}

impl Attribute {
    /// What it is planned as where the configuration says nothing, whatever it was before. Makes an
    /// optional attribute one that is computed too, as Terraform wants it. A default is whole: defaults
    /// of nested attributes fill what is configured, not what comes from a default around them.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        let value = value.into();
        // What does not fit is found by `Schema::check`.
        self.behaviour.default = Some(value.clone().conform(&self.implied_type()).unwrap_or(value));
        if self.mode == Mode::Optional {
            self.mode = Mode::OptionalComputed;
        }
        self
    }

    /// Checks it as soon as it is known.
    #[must_use]
    pub fn validate(mut self, validator: Validator) -> Self {
        self.behaviour.validators.push(validator);
        self
    }

    /// Checks nested attributes against each other, in each element for itself.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.behaviour.rules.push(rule);
        self
    }

    /// A change of it cannot be made in place. Becoming unknown is a change.
    #[must_use]
    pub fn requires_replace(mut self) -> Self {
        self.behaviour.replaces = Some(Replaces::Always);
        self
    }

    /// A change of it cannot be made in place if the function says so of the value before and the planned
    /// one. Not asked while the planned one is unknown: that is a change that replaces.
    #[must_use]
    pub fn requires_replace_if(
        mut self,
        replaces: impl Fn(&Value, &Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.behaviour.replaces = Some(Replaces::If(Comparison::new(replaces)));
        self
    }

    /// What a computed attribute is computed from: attributes and blocks beside it, or further out. An
    /// update makes it unknown if one of these changes, and for no other reason. Without this, any change
    /// of the resource does.
    #[must_use]
    pub fn depends_on<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.behaviour.inputs = Inputs::named(names);
        self
    }

    /// A computed attribute that no update changes, such as an identifier.
    #[must_use]
    pub fn keeps_prior(self) -> Self {
        self.depends_on([""; 0])
    }

    /// Says when a configured value means the same as the one before (`{"a": 1}` and `{ "a": 1 }`): it
    /// is then planned as it was. Asked for values that are wholly known and differ. In elements of sets,
    /// which have nothing but their values to tell them by, any difference counts.
    #[must_use]
    pub fn same_if(mut self, same: impl Fn(&Value, &Value) -> bool + Send + Sync + 'static) -> Self {
        self.behaviour.same = Some(Comparison::new(same));
        self
    }

    /// Says anew who sets it.
    #[must_use]
    pub fn set_by(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The same, of many: what was checked is checked of each.
    pub(crate) fn collected(mut self, nesting: Nesting) -> Self {
        self.shape = nesting.around(self.shape);
        self.mode = Mode::Required;
        let validators = self.behaviour.validators.into_iter();
        self.behaviour.validators = validators.map(Validator::each).collect();
        self
    }

    /// What it is planned as where the configuration says nothing.
    pub fn default_value(&self) -> Option<&Value> {
        self.behaviour.default.as_ref()
    }

    /// What its values are checked by.
    pub fn validators(&self) -> &[Validator] {
        &self.behaviour.validators
    }
}

impl NestedBlock {
    /// What a computed block is filled from, see [`Attribute::depends_on`].
    #[must_use]
    pub fn depends_on<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.inputs = Inputs::named(names);
        self
    }

    /// A computed block that no update changes.
    #[must_use]
    pub fn keeps_prior(self) -> Self {
        self.depends_on([""; 0])
    }
}
