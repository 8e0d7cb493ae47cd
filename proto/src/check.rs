//! The rules by which Terraform judges what a provider answers.
//!
//! [`plan`] and [`replaces`] judge a plan, [`replan`] the plan made again during apply, [`apply`] its
//! result, [`state`] what is read, imported, moved, upgraded or taken from a data source, [`ephemeral`] what
//! is opened, [`identity`] and [`same_identity`] what names a resource. The service runs them on every
//! answer, so that a fault shows as ours, with its path, before Terraform sees it; tests may run them on
//! single values. Values are expected in the form [`Schema::complete`](crate::Schema::complete) gives them.
//! They never appear in a fault: they may be secret.
//!
//! Source: package `objchange` of OpenTofu and of Terraform 1.16 (computed blocks), and
//! `node_resource_abstract_instance.go` there.

mod apply;
mod plan;
mod result;

use std::fmt;

use crate::{Path, Step, Value};

pub use self::{
    apply::{apply, replan},
    plan::{plan, replaces},
    result::{ephemeral, identity, same_identity, state},
};

/// A broken rule: what Terraform would call a bug in the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where; the whole value if empty.
    pub path: Path,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.steps().is_empty() {
            write!(out, "the resource {}", self.problem)
        } else {
            write!(out, "`{}` {}", self.path, self.problem)
        }
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: &Path, problem: impl Into<String>) {
        self.0.push(Fault { path: path.clone(), problem: problem.into() });
    }
}

fn count(value: &Value) -> usize {
    value.as_list().map_or(0, <[Value]>::len)
}

/// The steps to the parts of a value.
fn steps(value: &Value) -> Vec<Step> {
    match value.plain() {
        Value::List(elements) => (0..elements.len()).map(Step::Index).collect(),
        Value::Map(members) => members.keys().cloned().map(Step::Key).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
