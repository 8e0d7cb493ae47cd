//! Where inside a value something is.

use std::fmt;

use crate::wire::tfplugin6::{AttributePath, attribute_path};

/// The way from the top of a value to a part of it, as in `build.args["VERSION"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute or block of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list or tuple, counted from 0. Set elements have no address.
    Index(usize),
}

impl Path {
    /// The whole value.
    pub fn root() -> Self {
        Self::default()
    }

    /// The steps from the top.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Goes on to an attribute.
    #[must_use]
    pub fn attribute(self, name: impl Into<String>) -> Self {
        self.then(Step::Attribute(name.into()))
    }

    /// Goes on to a map's element.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// Goes on to a list's element.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// Goes on by one step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Does something one step further down.
    pub(crate) fn inside<T>(&mut self, step: Step, act: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(step);
        let done = act(self);
        self.0.pop();
        done
    }

    /// Puts a step before the first: errors find their way out so.
    pub(crate) fn below(mut self, step: Step) -> Self {
        self.0.insert(0, step);
        self
    }

    pub(crate) fn ends_with(&self, attribute: &str) -> bool {
        matches!(self.0.last(), Some(Step::Attribute(name)) if name == attribute)
    }

    pub(crate) fn to_wire(&self) -> AttributePath {
        use attribute_path::step::Selector;
        let steps = self.0.iter().map(|step| match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        });
        AttributePath {
            steps: steps.map(|selector| attribute_path::Step { selector: Some(selector) }).collect(),
        }
    }
}

/// An attribute at the top: `"repository".into()`.
impl From<&str> for Path {
    fn from(name: &str) -> Self {
        Self::root().attribute(name)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(out, "{name}")?,
                Step::Attribute(name) => write!(out, ".{name}")?,
                Step::Key(key) => write!(out, "[{key:?}]")?,
                Step::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}
