//! Whether what was planned came true.

use super::{Fault, Faults, steps};
use crate::{Path, Schema, Step, Type, Value};

/// What is wrong with the state after an apply: everything that was known in the plan must have come true,
/// and everything else be known now.
pub fn apply(schema: &Schema, planned: &Value, state: &Value) -> Vec<Fault> {
    let faults = super::state(schema, state);
    if faults.is_empty() { replan(schema, planned, state) } else { faults }
}

/// What is wrong with a plan made again during apply, when more is known: everything that was known must
/// still be the same.
pub fn replan(schema: &Schema, first: &Value, second: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.came_true(&schema.implied_type(), first, second, &Path::root());
    faults.0
}

impl Faults {
    /// Judges what became of a planned value.
    fn came_true(&mut self, kind: &Type, planned: &Value, state: &Value, path: &Path) {
        if let Type::Dynamic = kind {
            return self.dynamic_came_true(planned, state, path);
        }
        match (planned, state) {
            (Value::Unknown, _) | (Value::Null, Value::Null) => {}
            (Value::Refined(promise), state) => {
                if !promise.admits(state) {
                    self.add(path, "is not what the plan promised of it");
                }
            }
            (_, Value::Unknown | Value::Refined(_)) => self.add(path, "was known and is now unknown"),
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

    /// A value that brings its type keeps it, as far as it was known. Without one, anything goes.
    fn dynamic_came_true(&mut self, planned: &Value, state: &Value, path: &Path) {
        let Value::Dynamic(promised, planned) = planned else { return };
        match state {
            Value::Dynamic(kept, state) if conforms(promised, kept) => {
                self.came_true(promised, planned, state, path);
            }
            // Core does not know the type of these; they are judged as values of the promised one.
            Value::Null | Value::Unknown | Value::Refined(_) => {
                self.came_true(promised, planned, state, path);
            }
            _ => self.add(path, "changed its type"),
        }
    }

    fn parts_came_true(&mut self, kind: &Type, planned: &Value, state: &Value, path: &Path) {
        let before = steps(planned);
        if before != steps(state) {
            return self.add(path, "has other elements than planned");
        }
        for step in before {
            let one = Path::root().then(step.clone());
            let (planned, state) = (planned.at(&one), state.at(&one));
            let (kind, step): (&Type, Step) = kind.part(step);
            self.came_true(kind, planned, state, &path.clone().then(step));
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

/// Whether a type is another one, or that one with its open parts filled in.
fn conforms(open: &Type, filled: &Type) -> bool {
    match (open, filled) {
        (Type::Dynamic, _) => true,
        (Type::List(open), Type::List(filled))
        | (Type::Set(open), Type::Set(filled))
        | (Type::Map(open), Type::Map(filled)) => conforms(open, filled),
        (Type::Tuple(open), Type::Tuple(filled)) => {
            open.len() == filled.len() && open.iter().zip(filled).all(|(open, filled)| conforms(open, filled))
        }
        (Type::Object(open), Type::Object(filled)) => {
            open.keys().eq(filled.keys())
                && open.values().zip(filled.values()).all(|(open, filled)| conforms(open, filled))
        }
        _ => open == filled,
    }
}
