//! Whether a plan is one for what is configured.

use std::borrow::Cow;

use super::{Fault, Faults, count, steps};
use crate::{Attribute, Block, Mode, NestedBlock, Nesting, Path, Schema, Shape, Step, Type, Value};

/// What is wrong with a plan: whatever is configured must be planned as configured, or stay as it was;
/// only computed attributes and blocks are the provider's to fill.
pub fn plan(schema: &Schema, prior: &Value, config: &Value, planned: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    let [prior, config, planned] = [prior, config, planned].map(|value| unrefined(schema, value));
    let plan = Plan { prior: &prior, config: &config, planned: &planned };
    faults.plan_block(schema.top(), plan, &Path::root());
    faults.0
}

/// What is wrong with the attributes that are said to force a replacement: they must exist, before or after.
pub fn replaces(schema: &Schema, prior: &Value, planned: &Value, paths: &[Path]) -> Vec<Fault> {
    let mut faults = Faults::default();
    let kind = schema.implied_type();
    if !prior.is_null() && !planned.is_null() {
        for path in paths {
            if !leads(&kind, prior, path) && !leads(&kind, planned, path) {
                faults.add(path, "does not exist and cannot force a replacement");
            }
        }
    }
    faults.0
}

/// Whether a path leads to a part of a value. Elements of sets have no address.
fn leads(kind: &Type, value: &Value, path: &Path) -> bool {
    let mut at = (kind.clone(), value);
    path.steps().iter().all(|step| {
        let there = match (&at.0, at.1.plain(), step) {
            (_, Value::Unknown | Value::Refined(_), _) => true,
            (_, Value::Map(members), Step::Attribute(name) | Step::Key(name)) => members.contains_key(name),
            (Type::Set(_), _, Step::Index(_)) => false,
            (_, Value::List(elements), Step::Index(index)) => *index < elements.len(),
            _ => false,
        };
        at = (at.0.part(step.clone()).0.clone(), at.1.at(&Path::root().then(step.clone())));
        there
    })
}

/// What is promised of unknown values does not count here.
fn unrefined<'a>(schema: &Schema, value: &'a Value) -> Cow<'a, Value> {
    let mut promised = false;
    value.walk(&mut |_, part| promised |= part.refinement().is_some());
    if !promised {
        return Cow::Borrowed(value);
    }
    let bare = value.clone().map(&mut |_, part| if part.is_unknown() { Value::Unknown } else { part });
    // Sets are sorted again.
    Cow::Owned(bare.clone().conform(&schema.implied_type()).unwrap_or(bare))
}

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
        let Plan { config, planned, .. } = plan;
        if planned.is_null() && nested.nesting() != Some(Nesting::Single) {
            return self.add(path, "is a block and cannot be null, only empty");
        }
        if planned == config {
            return;
        }
        if config.is_unknown() {
            return self.add(path, "is a block not known yet and must stay so");
        }
        if nested.is_ours(config) {
            return;
        }
        if planned.is_unknown() {
            return self.add(path, "is a block and cannot be unknown itself");
        }
        match nested.nesting() {
            None | Some(Nesting::Single) => self.plan_block(nested.content(), plan, path),
            // Elements of sets have nothing to tell them by.
            Some(Nesting::Set) => {
                if planned.as_list().unwrap_or_default().iter().any(Value::is_unknown) {
                    self.add(path, ELEMENT);
                }
            }
            Some(Nesting::List | Nesting::Map) => {
                for (element, path) in self.elements(plan, path) {
                    if element.planned.is_unknown() {
                        self.add(&path, ELEMENT);
                    } else {
                        self.plan_block(nested.content(), element, &path);
                    }
                }
            }
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

    /// Elements of sets have nothing to tell them by, so only their number is judged, as far as it is
    /// settled: unknown ones may turn out to be the same.
    fn plan_set(&mut self, plan: Plan<'_>, path: &Path) {
        let (planned, configured) = (count(plan.planned), count(plan.config));
        let least = if plan.planned.is_wholly_known() { planned } else { planned.min(1) };
        if plan.config.is_wholly_known() && !(least..=planned).contains(&configured) {
            self.add(path, COUNT);
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
        if planned != configured || plan.config.is_unknown() {
            self.add(path, COUNT);
            return Vec::new();
        }
        let element = |step: Step| {
            let one = Path::root().then(step.clone());
            (plan.part(|value| value.at(&one)), path.clone().then(step))
        };
        planned.into_iter().map(element).collect()
    }
}

const ELEMENT: &str = "has an element that is a block and cannot be unknown itself";
const COUNT: &str = "has other elements in the plan than in the configuration";
