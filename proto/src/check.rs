//! The rules by which Terraform judges a plan and the result of an apply.
//!
//! Source: `AssertPlanValid` and `AssertObjectCompatible`, package `objchange` of OpenTofu. Values are
//! expected in the form [`Schema::complete`] gives them. They never appear in a fault: they may be secret.

use std::fmt;

use crate::{Attribute, Block, Mode, NestedBlock, Nesting, Path, Schema, Shape, Step, Type, Value};

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

/// What is wrong with a plan: whatever is configured must be planned as configured, or stay as it was;
/// only computed attributes are the provider's to fill.
pub fn plan(schema: &Schema, prior: &Value, config: &Value, planned: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.plan_block(schema.top(), Plan { prior, config, planned }, &Path::root());
    faults.0
}

/// What is wrong with the state after an apply: everything that was known in the plan must have come true.
pub fn apply(schema: &Schema, planned: &Value, state: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.came_true(&schema.implied_type(), planned, state, &Path::root());
    faults.0
}

/// What is wrong with a plan made again during apply, when more is known: the same rule, with
/// unknowns still allowed where there were some.
pub fn replan(schema: &Schema, first: &Value, second: &Value) -> Vec<Fault> {
    apply(schema, first, second)
}

#[derive(Default)]
struct Faults(Vec<Fault>);

/// The three values a plan is judged by, or the same part of them.
#[derive(Clone, Copy)]
struct Plan<'a> {
    prior: &'a Value,
    config: &'a Value,
    planned: &'a Value,
}

impl<'a> Plan<'a> {
    fn part(self, part: impl Fn(&'a Value) -> &'a Value) -> Self {
        Self { prior: part(self.prior), config: part(self.config), planned: part(self.planned) }
    }

    fn get(self, name: &str) -> Self {
        self.part(|value| value.get(name))
    }
}

impl Faults {
    fn add(&mut self, path: &Path, problem: impl Into<String>) {
        self.0.push(Fault { path: path.clone(), problem: problem.into() });
    }

    fn plan_block(&mut self, block: &Block, plan: Plan<'_>, path: &Path) {
        if !self.both_there(plan, path) {
            return;
        }
        self.plan_attributes(block.attributes(), plan, path);
        for nested in block.blocks() {
            self.plan_nested_block(nested, plan.get(nested.name()), &path.clone().attribute(nested.name()));
        }
    }

    fn plan_nested_block(&mut self, nested: &NestedBlock, plan: Plan<'_>, path: &Path) {
        if plan.planned == plan.config {
            return;
        }
        if plan.config.is_unknown() {
            return self.add(path, "is a block not known yet and must stay so");
        }
        if plan.planned.is_unknown() {
            return self.add(path, "is a block and cannot be unknown itself");
        }
        match nested.nesting() {
            None | Some(Nesting::Single) => self.plan_block(nested.content(), plan, path),
            Some(Nesting::Set) => self.plan_set(plan, path),
            Some(Nesting::List | Nesting::Map) => {
                for (element, path) in self.elements(plan, path) {
                    self.plan_block(nested.content(), element, &path);
                }
            }
        }
    }

    /// Elements of sets have nothing to tell them by, so only their number is judged, if it is settled.
    fn plan_set(&mut self, plan: Plan<'_>, path: &Path) {
        let settled = plan.planned.is_wholly_known() && plan.config.is_wholly_known();
        if settled && count(plan.planned) > count(plan.config) {
            self.add(path, "has more elements in the plan than in the configuration");
        }
    }

    fn plan_attributes(&mut self, attributes: &[Attribute], plan: Plan<'_>, path: &Path) {
        for attribute in attributes {
            let name = attribute.name();
            self.plan_attribute(attribute, plan.get(name), &path.clone().attribute(name));
        }
    }

    fn plan_attribute(&mut self, attribute: &Attribute, plan: Plan<'_>, path: &Path) {
        let Plan { prior, config, planned } = plan;
        if attribute.is_write_only() {
            if !planned.is_null() {
                self.add(path, "is write-only and must be null in the plan");
            }
            return;
        }
        let as_configured = planned == config;
        let as_before = planned == prior && !prior.is_null() && !config.is_null();
        let ours = attribute.is_computed() && (config.is_null() || attribute.mode() == Mode::Computed);
        if as_configured || as_before || ours {
            return;
        }
        match attribute.shape() {
            _ if config.is_null() => self.add(path, "is not computed and must be null, as configured"),
            Shape::Nested(nesting, inner) => self.plan_nested(*nesting, inner, plan, path),
            Shape::Type(_) => self.add(path, "is planned neither as configured nor as it was before"),
        }
    }

    fn plan_nested(&mut self, nesting: Nesting, inner: &[Attribute], plan: Plan<'_>, path: &Path) {
        if !self.both_there(plan, path) {
            return;
        }
        if plan.planned.is_unknown() {
            return self.add(path, "is configured and cannot be planned unknown");
        }
        match nesting {
            Nesting::Single => self.plan_attributes(inner, plan, path),
            Nesting::Set => self.plan_set(plan, path),
            Nesting::List | Nesting::Map => {
                for (element, path) in self.elements(plan, path) {
                    self.plan_attributes(inner, element, &path);
                }
            }
        }
    }

    /// Whether there is something to compare further.
    fn both_there(&mut self, plan: Plan<'_>, path: &Path) -> bool {
        match (plan.config.is_null(), plan.planned.is_null()) {
            (false, true) => self.add(path, "is configured and cannot be planned absent"),
            (true, false) => self.add(path, "is not configured and cannot be planned"),
            (true, true) => {}
            (false, false) => return true,
        }
        false
    }

    /// The elements of a list or map, if those of plan and configuration are the same in number and name.
    fn elements<'a>(&mut self, plan: Plan<'a>, path: &Path) -> Vec<(Plan<'a>, Path)> {
        let (planned, configured) = (steps(plan.planned), steps(plan.config));
        if planned != configured {
            self.add(path, "has other elements in the plan than in the configuration");
            return Vec::new();
        }
        let element = |step: Step| {
            let one = Path::root().then(step.clone());
            (plan.part(|value| value.at(&one)), path.clone().then(step))
        };
        planned.into_iter().map(element).collect()
    }

    /// Judges what became of a planned value.
    fn came_true(&mut self, kind: &Type, planned: &Value, state: &Value, path: &Path) {
        if planned.is_unknown() {
            if planned.refinement().is_some_and(|refinement| !refinement.admits(state)) {
                self.add(path, "is not what the plan promised of it");
            }
            return;
        }
        if let (Value::Dynamic(promised, planned), Value::Dynamic(kept, state)) = (planned, state) {
            if promised == kept {
                self.came_true(promised, planned, state, path);
            } else {
                self.add(path, "changed its type");
            }
            return;
        }
        match (planned, state) {
            (_, Value::Unknown | Value::Refined(_)) => self.add(path, "was known and is now unknown"),
            (Value::Null, Value::Null) => {}
            (Value::Null, _) => self.add(path, "was absent and is now present"),
            (_, Value::Null) => self.add(path, "was present and is now absent"),
            (Value::List(planned), Value::List(state)) if matches!(kind, Type::Set(_)) => {
                self.set_came_true(kind, planned, state, path);
            }
            (Value::List(_) | Value::Map(_), _) => self.parts_came_true(kind, planned, state, path),
            (planned, state) if planned == state => {}
            _ => self.add(path, "has another value than planned"),
        }
    }

    fn parts_came_true(&mut self, kind: &Type, planned: &Value, state: &Value, path: &Path) {
        let before = steps(planned);
        if before != steps(state) {
            return self.add(path, "has other elements than planned");
        }
        for step in before {
            let one = Path::root().then(step.clone());
            let (kind, step) = kind.part(step);
            self.came_true(kind, planned.at(&one), state.at(&one), &path.clone().then(step));
        }
    }

    /// Every planned element has a counterpart and the other way round; some may have become equal.
    fn set_came_true(&mut self, kind: &Type, planned: &[Value], state: &[Value], path: &Path) {
        let Type::Set(element) = kind else { return };
        let fits = |planned: &Value, state: &Value| {
            let mut faults = Self::default();
            faults.came_true(element, planned, state, path);
            faults.0.is_empty()
        };
        let kept = planned.iter().all(|planned| state.iter().any(|state| fits(planned, state)));
        let foreseen = state.iter().all(|state| planned.iter().any(|planned| fits(planned, state)));
        if !kept || !foreseen || state.len() > planned.len() {
            self.add(path, "has other elements than planned");
        }
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
