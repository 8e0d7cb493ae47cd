//! Checks of several members of one object together.

use super::members::{Members, is_absent};
use crate::{Diagnostic, Path, Value, validator::unsuitable};

/// What must hold between attributes and blocks that stand beside each other. Empty blocks count as not
/// set; what is unknown is left alone until it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    kind: Kind,
    names: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AtMostOne,
    ExactlyOne,
    AtLeastOne,
    RequiredWith,
}

impl Rule {
    /// At most one of them is set.
    pub fn conflicts<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(Kind::AtMostOne, names)
    }

    /// One of them is set, and no other.
    pub fn exactly_one_of<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(Kind::ExactlyOne, names)
    }

    /// One of them is set, or more.
    pub fn at_least_one_of<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(Kind::AtLeastOne, names)
    }

    /// If the first is set, so are all others.
    pub fn required_with<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(Kind::RequiredWith, names)
    }

    fn new<N: Into<String>>(kind: Kind, names: impl IntoIterator<Item = N>) -> Self {
        Self { kind, names: names.into_iter().map(Into::into).collect() }
    }

    /// The members it is about.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// What is wrong with an object at a path.
    pub(super) fn check(&self, of: Members<'_>, object: &Value, path: &Path, faults: &mut Vec<Diagnostic>) {
        let with = |state| self.names.iter().filter(move |name| presence(of, object, name) == state);
        let set: Vec<_> = with(Presence::Set).collect();
        let undecided = with(Presence::Unknown).count();
        let at = |name: &String| path.clone().attribute(name);
        match (self.kind, set.as_slice()) {
            (Kind::AtMostOne | Kind::ExactlyOne, [first, second, ..]) => {
                let problem = format!("cannot be set together with `{first}`; {self}");
                faults.push(unsuitable(&at(second), &problem));
            }
            (Kind::ExactlyOne | Kind::AtLeastOne, []) if undecided == 0 => {
                let summary = "Missing argument";
                faults.push(
                    Diagnostic::error(summary, format!("In {}, {self}.", place(path))).at(path.clone()),
                );
            }
            (Kind::RequiredWith, [first, ..]) if Some(*first) == self.names.first() => {
                for missing in with(Presence::Absent) {
                    faults.push(unsuitable(&at(first), &format!("needs `{missing}` to be set too")));
                }
            }
            _ => {}
        }
    }
}

fn place(path: &Path) -> String {
    if path.steps().is_empty() { "this block".to_owned() } else { format!("`{path}`") }
}

/// What has to be done.
impl std::fmt::Display for Rule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        match self.kind {
            Kind::AtMostOne => write!(out, "set at most one of {names}"),
            Kind::ExactlyOne => write!(out, "set exactly one of {names}"),
            Kind::AtLeastOne => write!(out, "set at least one of {names}"),
            Kind::RequiredWith => write!(out, "set all of {names}, or not the first of them"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Absent,
    Set,
    Unknown,
}

fn presence(of: Members<'_>, object: &Value, name: &str) -> Presence {
    let value = object.get(name);
    match of.block(name) {
        _ if value.is_unknown() => Presence::Unknown,
        _ if value.is_null() => Presence::Absent,
        Some(_) if is_absent(value) => Presence::Absent,
        _ => Presence::Set,
    }
}
