//! What an apply will do, as far as the schema alone can say it.
//!
//! A pure function of state and configuration: the plan made again during apply, when more is known,
//! never takes back what the first one knew.

mod pairing;

use super::{
    Attribute, Nesting, Schema,
    behaviour::Inputs,
    members::{Members, element, steps},
};
use crate::{Diagnostics, Path, Step, Value};

/// A change planned by a schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedBySchema {
    /// The state after apply, unknown where that decides; null for destroying.
    pub planned: Value,
    /// What changes and cannot be changed in place.
    pub requires_replace: Vec<Path>,
    /// What is wrong with the schema itself.
    pub diagnostics: Diagnostics,
}

impl Schema {
    /// Plans a change: configured values as configured (or as they were, if [`Attribute::same_if`] says
    /// so), defaults where the configuration is silent, write-only attributes null, computed ones as
    /// they were or unknown ([`Attribute::depends_on`]). Without a change, the state as it was.
    ///
    /// `proposed` is what Terraform proposes: computed attributes that are not configured start from it.
    /// Elements of sets go on as those before that the configuration would leave as they are.
    pub fn plan(&self, prior: &Value, proposed: &Value, config: &Value) -> PlannedBySchema {
        if proposed.is_null() {
            return PlannedBySchema::default();
        }
        let of = Members::from(self.top());
        let prior = &of.paired(prior, config);
        let mut planned = of.settle(Place { prior, proposed, config });
        loop {
            let before = planned.clone();
            let scope = Scope { of, prior, planned: &before, outer: None };
            of.unsettle(&mut planned, config, &scope);
            if planned == before {
                break;
            }
        }
        let mut requires_replace = Vec::new();
        if !prior.is_null() {
            of.replacing(prior, &planned, &Path::root(), &mut requires_replace);
        }
        let mut diagnostics = Diagnostics::new();
        let planned = diagnostics.collect(self.complete(planned)).unwrap_or_default();
        PlannedBySchema { planned, requires_replace, diagnostics }
    }
}

/// The same part of the three values that a plan starts from.
#[derive(Clone, Copy)]
struct Place<'a> {
    prior: &'a Value,
    proposed: &'a Value,
    config: &'a Value,
}

impl<'a> Place<'a> {
    fn get(self, name: &str) -> Self {
        self.part(|value| value.get(name))
    }

    fn part(self, part: impl Fn(&'a Value) -> &'a Value) -> Self {
        Self { prior: part(self.prior), proposed: part(self.proposed), config: part(self.config) }
    }
}

/// What is to be before anything becomes unknown.
impl Members<'_> {
    fn settle(self, at: Place<'_>) -> Value {
        if at.config.as_map().is_none() {
            return at.config.clone();
        }
        let attributes = self.attributes.iter().map(|one| (one.name(), one.settle(at.get(one.name()))));
        let blocks = self.blocks.iter().map(|block| {
            let ((nesting, members), at) = (block.parts(), at.get(block.name()));
            let ours = block.is_ours(at.config);
            (block.name(), if ours { at.prior.clone() } else { block.typed(members.settle_all(nesting, at)) })
        });
        Value::object(attributes.chain(blocks))
    }

    fn settle_all(self, nesting: Nesting, at: Place<'_>) -> Value {
        if nesting == Nesting::Single {
            return self.settle(at);
        }
        // What is proposed for a set is in another order than the configuration.
        let at = if nesting == Nesting::Set { Place { proposed: at.prior, ..at } } else { at };
        let settled = |step: &Step| self.settle(at.part(|value| element(value, step)));
        let settled = |steps: Vec<Step>| steps.into_iter().map(|step| (settled(&step), step));
        match at.config.plain() {
            Value::List(_) => Value::list(settled(steps(at.config)).map(|(value, _)| value)),
            Value::Map(members) => {
                Value::object(members.keys().zip(settled(steps(at.config)).map(|(value, _)| value)))
            }
            _ => at.config.clone(),
        }
    }
}

impl Attribute {
    fn settle(&self, at: Place<'_>) -> Value {
        if self.is_write_only() {
            return Value::Null;
        }
        if at.config.is_null() {
            return match &self.behaviour.default {
                Some(default) => default.clone(),
                None if self.is_computed() => at.proposed.clone(),
                // Null as well, and in a dynamic place of the type that it has there.
                None => at.config.clone(),
            };
        }
        match self.nested() {
            Some((nesting, members)) => members.settle_all(nesting, at),
            None if self.means_the_same(at.prior, at.config) => at.prior.clone(),
            None => at.config.clone(),
        }
    }

    fn means_the_same(&self, prior: &Value, config: &Value) -> bool {
        let same = |same: &super::behaviour::Comparison| {
            !prior.is_null() && config.is_wholly_known() && same.holds(prior, config)
        };
        prior == config || self.behaviour.same.as_ref().is_some_and(same)
    }
}

/// An object before and after, inside of others.
struct Scope<'a> {
    of: Members<'a>,
    prior: &'a Value,
    planned: &'a Value,
    outer: Option<&'a Self>,
}

impl Scope<'_> {
    /// Whether what goes by a name here, or further out, changes.
    fn changes(&self, name: &str) -> bool {
        match self.outer {
            Some(outer) if !self.of.has(name) => outer.changes(name),
            _ => self.prior.get(name) != self.planned.get(name),
        }
    }

    fn anything_changes(&self) -> bool {
        self.outer.map_or_else(|| self.prior != self.planned, Self::anything_changes)
    }

    /// Whether apply may compute something else than what was there.
    fn unsettles(&self, inputs: &Inputs) -> bool {
        self.prior.is_null()
            || match inputs {
                Inputs::All => self.anything_changes(),
                Inputs::Named(names) => names.iter().any(|name| self.changes(name)),
            }
    }
}

/// What becomes unknown. Each round sees what became unknown in the one before.
impl Members<'_> {
    /// What decides about a member, if that is the provider's to set.
    fn inputs(&self, name: &str, config: &Value) -> Option<&Inputs> {
        if let Some(block) = self.block(name) {
            return Some(&block.inputs).filter(|_| block.is_ours(config));
        }
        let attribute = self.attribute(name).filter(|_| config.is_null())?;
        let behaviour = &attribute.behaviour;
        Some(&behaviour.inputs).filter(|_| attribute.is_computed() && behaviour.default.is_none())
    }

    fn unsettle(self, planned: &mut Value, config: &Value, scope: &Scope<'_>) {
        let Some(values) = members(planned) else { return };
        for (name, value) in values {
            let config = config.get(name);
            if let Some(inputs) = self.inputs(name, config) {
                if scope.unsettles(inputs) {
                    *value = Value::Unknown;
                }
                continue;
            }
            let nested = self.nested().find(|(nested, ..)| nested == name);
            if let Some((_, nesting, of)) = nested.filter(|_| !config.is_null()) {
                let (prior, before) = (scope.prior.get(name), scope.planned.get(name));
                let inner = |of, prior, planned| Scope { of, prior, planned, outer: Some(scope) };
                if nesting == Nesting::Single {
                    of.unsettle(value, config, &inner(of, prior, before));
                    continue;
                }
                for (step, value) in elements(value) {
                    let [config, prior, before] = [config, prior, before].map(|value| element(value, &step));
                    of.unsettle(value, config, &inner(of, prior, before));
                }
            }
        }
    }
}

fn members(value: &mut Value) -> Option<&mut std::collections::BTreeMap<String, Value>> {
    match value {
        Value::Map(members) => Some(members),
        Value::Dynamic(_, inner) => members(inner),
        _ => None,
    }
}

fn elements(value: &mut Value) -> Vec<(Step, &mut Value)> {
    match value {
        Value::List(elements) => {
            elements.iter_mut().enumerate().map(|(at, one)| (Step::Index(at), one)).collect()
        }
        Value::Map(members) => members.iter_mut().map(|(key, one)| (Step::Key(key.clone()), one)).collect(),
        Value::Dynamic(_, inner) => elements(inner),
        _ => Vec::new(),
    }
}

/// What cannot be changed in place.
impl Members<'_> {
    fn replacing(self, prior: &Value, planned: &Value, path: &Path, found: &mut Vec<Path>) {
        for attribute in self.attributes {
            let name = attribute.name();
            let (prior, planned) = (prior.get(name), planned.get(name));
            let fires =
                |replaces: &super::behaviour::Replaces| prior != planned && replaces.fires(prior, planned);
            if attribute.behaviour.replaces.as_ref().is_some_and(fires) {
                found.push(path.clone().attribute(name));
            }
        }
        for (name, nesting, of) in self.nested() {
            let (prior, planned) = (prior.get(name), planned.get(name));
            if prior != planned {
                of.replacing_in(nesting, prior, planned, path.clone().attribute(name), found);
            }
        }
    }

    fn replacing_in(
        self,
        nesting: Nesting,
        prior: &Value,
        planned: &Value,
        path: Path,
        found: &mut Vec<Path>,
    ) {
        let mut inner = Vec::new();
        match nesting {
            // Whatever it turns out to be may replace.
            _ if planned.is_unknown() && self.can_replace() => inner.push(path.clone()),
            _ if planned.is_null() => {}
            Nesting::Single => self.replacing(prior, planned, &path, &mut inner),
            _ => {
                for step in steps(planned) {
                    let [prior, planned] = [prior, planned].map(|value| element(value, &step));
                    self.replacing(prior, planned, &path.clone().then(step), &mut inner);
                }
            }
        }
        // Elements of sets have no address.
        if nesting == Nesting::Set && !inner.is_empty() {
            inner = vec![path];
        }
        for path in inner {
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }

    fn can_replace(self) -> bool {
        self.attributes.iter().any(|attribute| attribute.behaviour.replaces.is_some())
            || self.nested().any(|(_, _, of)| of.can_replace())
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
