//! Checks of a configuration that the schema itself can make.

use super::{
    Nesting, Schema,
    members::{Members, element, steps},
};
use crate::{Diagnostic, Diagnostics, Path, Value};

impl Schema {
    /// Everything that validators and rules of the schema find in a configuration, as far as it is known.
    pub fn validate(&self, config: &Value) -> Diagnostics {
        let mut faults = Vec::new();
        object(self.top().into(), config, &Path::root(), &mut faults);
        faults.into_iter().collect()
    }
}

fn object(of: Members<'_>, value: &Value, path: &Path, faults: &mut Vec<Diagnostic>) {
    if value.as_map().is_none() {
        return;
    }
    for attribute in of.attributes {
        let (value, path) = (value.get(attribute.name()), path.clone().attribute(attribute.name()));
        for validator in attribute.validators() {
            validator.check(value, &attribute.implied_type(), &path, faults);
        }
    }
    for rule in of.rules {
        rule.check(of, value, path, faults);
    }
    for (name, nesting, members) in of.nested() {
        nested(nesting, members, value.get(name), &path.clone().attribute(name), faults);
    }
}

fn nested(nesting: Nesting, of: Members<'_>, value: &Value, path: &Path, faults: &mut Vec<Diagnostic>) {
    if nesting == Nesting::Single {
        return object(of, value, path, faults);
    }
    for step in steps(value) {
        let value = element(value, &step);
        // Elements of sets have no address, and so neither has anything in them.
        if nesting == Nesting::Set {
            let from = faults.len();
            object(of, value, path, faults);
            for fault in &mut faults[from..] {
                fault.attribute = Some(path.clone());
            }
        } else {
            object(of, value, &path.clone().then(step), faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Attribute, Block, NestedBlock, Rule, Schema, Shape, Type, Validator, Value};

    fn schema() -> Schema {
        let inner = || {
            [
                Attribute::optional("port", Type::Number).validate(Validator::range(1..=65535)),
                Attribute::optional("path", Type::String),
            ]
        };
        let block = inner().into_iter().fold(Block::new(), Block::attribute);
        Schema::new()
            .attribute(Attribute::optional("file", Type::String))
            .attribute(Attribute::optional("text", Type::String))
            .attribute(Attribute::optional("user", Type::String))
            .attribute(Attribute::optional("list", Shape::list(inner())))
            .attribute(
                Attribute::optional("set", Shape::set(inner())).rule(Rule::at_least_one_of(["port", "path"])),
            )
            .block(NestedBlock::list("rows", block.rule(Rule::conflicts(["port", "path"]))))
            .rule(Rule::exactly_one_of(["file", "text", "rows"]))
            .rule(Rule::required_with(["user", "file"]))
    }

    /// The messages, each behind its path.
    fn check(config: Value, expected: &[&str]) {
        let config = schema().complete(config).unwrap();
        let shown = |fault: &crate::Diagnostic| {
            let path = fault.attribute.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{path}: {}", fault.detail)
        };
        let faults: Vec<_> = schema().validate(&config).iter().map(shown).collect();
        assert_eq!(faults, expected, "{config:?}");
    }

    #[test]
    fn single_values_and_rules() {
        let file = || Value::object([("file", "f".into())]);
        let port = |port: i64| Value::object([("port", port.into())]);
        check(Value::Null, &[]);
        check(file(), &[]);
        check(Value::object([("file", Value::Unknown)]), &[]);
        check(
            Value::object([("user", "u")].map(|(name, one)| (name, one.into()))),
            &[
                ": In this block, set exactly one of `file`, `text`, `rows`.",
                "user: `user` needs `file` to be set too.",
            ],
        );
        check(
            file().with("text", "t"),
            &["text: `text` cannot be set together with `file`; set exactly one of `file`, `text`, `rows`."],
        );
        check(file().with("text", Value::Unknown), &[]);
        check(
            file().with("list", vec![port(0), port(1)]),
            &["list[0].port: `list[0].port` must be a number of 1 to 65535."],
        );
        check(file().with("set", vec![port(0)]), &["set: `set.port` must be a number of 1 to 65535."]);
        check(
            file().with("set", vec![Value::object::<&str>([])]),
            &["set: In `set`, set at least one of `port`, `path`."],
        );
        check(
            Value::object([("rows", Value::list([port(1).with("path", "p")]))]),
            &[
                "rows[0].path: `rows[0].path` cannot be set together with `port`; set at most one of `port`, `path`.",
            ],
        );
    }
}
