//! What contradicts itself in what is said about attributes.

use super::{Inputs, Rule};
use crate::{Attribute, Mode, Path, SchemaFault, schema::members::Members};

impl Members<'_> {
    /// What is wrong with the members of an object at a path; not deeper.
    pub(in crate::schema) fn behaviour_faults(self, path: &Path) -> Vec<SchemaFault> {
        let missing = |name: &str| !self.has(name);
        let rules = self.rules.iter().flat_map(Rule::names).filter(|name| missing(name));
        let rules = rules.map(|name| fault(path, name, "is in a rule and does not exist"));
        let attributes = self.attributes.iter();
        let attributes = attributes.filter_map(|one| Some(fault(path, one.name(), self.contradiction(one)?)));
        rules.chain(attributes).collect()
    }

    fn contradiction(self, attribute: &Attribute) -> Option<&'static str> {
        let behaviour = &attribute.behaviour;
        let default = behaviour.default.as_ref();
        let fits = default.is_none_or(|value| {
            value.is_wholly_known() && value.clone().conform(&attribute.implied_type()).is_ok()
        });
        let declares = behaviour.inputs != Inputs::All;
        let ours = attribute.is_computed() && default.is_none();
        let secret = |name: &str| self.attribute(name).is_some_and(Attribute::is_write_only);
        let of_secret =
            matches!(&behaviour.inputs, Inputs::Named(names) if names.iter().any(|name| secret(name)));
        let of_itself = matches!(&behaviour.inputs, Inputs::Named(names) if names.iter().any(|name| name == attribute.name()));
        let checks = [
            (!fits, "has a default that is not of its type"),
            (
                default.is_some() && attribute.mode() != Mode::OptionalComputed,
                "has a default and is not optional",
            ),
            (default.is_some() && attribute.is_write_only(), "has a default and is write-only"),
            (declares && !ours, "is not computed, so it depends on nothing"),
            (of_itself, "depends on itself"),
            (of_secret, "depends on a write-only attribute, whose changes nobody sees"),
            (
                behaviour.replaces.is_some() && ours && !declares,
                "would replace the resource with every change: say what it depends on",
            ),
        ];
        checks.into_iter().find_map(|(wrong, problem)| wrong.then_some(problem))
    }
}

fn fault(path: &Path, name: &str, problem: &'static str) -> SchemaFault {
    SchemaFault { path: path.clone().attribute(name), problem }
}

#[cfg(test)]
mod tests {
    use crate::{Attribute, Mode, Rule, Schema, Shape, Type, Value};

    fn check(attribute: Attribute, expected: &[&str]) {
        let secret = Attribute::optional("secret", Type::String).write_only();
        let nested = Attribute::optional("in", Shape::list([attribute.clone(), secret.clone()]));
        for (place, attribute) in [("", vec![attribute, secret]), ("in.", vec![nested])] {
            let schema = attribute.into_iter().fold(Schema::new(), Schema::attribute);
            let faults: Vec<_> = schema.check().iter().map(ToString::to_string).collect();
            let expected: Vec<_> = expected.iter().map(|problem| format!("`{place}a` {problem}")).collect();
            assert_eq!(faults, expected);
        }
    }

    #[test]
    fn contradictions() {
        let optional = || Attribute::optional("a", Type::String);
        let computed = || Attribute::computed("a", Type::String);
        check(optional().default("x").requires_replace(), &[]);
        check(optional().default(true), &["has a default that is not of its type"]);
        check(optional().default(Value::Unknown), &["has a default that is not of its type"]);
        check(computed().default("x"), &["has a default and is not optional"]);
        check(optional().default("x").set_by(Mode::Required), &["has a default and is not optional"]);
        check(optional().default("x").write_only(), &["has a default and is write-only"]);
        check(optional().keeps_prior(), &["is not computed, so it depends on nothing"]);
        check(computed().depends_on(["a"]), &["depends on itself"]);
        check(
            computed().depends_on(["secret"]),
            &["depends on a write-only attribute, whose changes nobody sees"],
        );
        check(computed().requires_replace().keeps_prior(), &[]);
        let every = "would replace the resource with every change: say what it depends on";
        check(computed().requires_replace(), &[every]);
    }

    #[test]
    fn rules_name_what_exists() {
        let schema =
            Schema::new().rule(Rule::conflicts(["a", "b"])).attribute(Attribute::optional("a", Type::Bool));
        let faults: Vec<_> = schema.check().iter().map(ToString::to_string).collect();
        assert_eq!(faults, ["`b` is in a rule and does not exist"]);
    }
}
