//! The state Terraform proposes: the configuration, and what is computed and not configured as it was.
//! Write-only values are in it, as they are in Terraform's own.
//!
//! Source: `ProposedNew`, package `objchange` of OpenTofu.

use crate::{Attribute, Block, NestedBlock, Nesting, Schema, Shape, Value};

pub(crate) fn proposed(schema: &Schema, prior: &Value, config: &Value) -> Value {
    Members::of(schema.top()).merge(prior, config)
}

/// What a block or nested attributes are made of.
#[derive(Clone, Copy)]
struct Members<'a> {
    attributes: &'a [Attribute],
    blocks: &'a [NestedBlock],
}

impl<'a> Members<'a> {
    fn of(block: &'a Block) -> Self {
        Self { attributes: block.attributes(), blocks: block.blocks() }
    }

    fn nested(attributes: &'a [Attribute]) -> Self {
        Self { attributes, blocks: &[] }
    }

    fn merge(self, prior: &Value, config: &Value) -> Value {
        if !matches!(config, Value::Map(_)) {
            return config.clone();
        }
        let attributes = self
            .attributes
            .iter()
            .map(|one| (one.name(), attribute(one, prior.get(one.name()), config.get(one.name()))));
        let blocks = self.blocks.iter().map(|one| {
            let (prior, config) = (prior.get(one.name()), config.get(one.name()));
            (one.name(), Self::of(one.content()).merge_all(mode(one), prior, config))
        });
        Value::object(attributes.chain(blocks))
    }

    /// Merges each configured element with the one it was before.
    fn merge_all(self, nesting: Nesting, prior: &Value, config: &Value) -> Value {
        if let Value::Dynamic(kind, config) = config {
            // Elements that differ in type.
            return Value::Dynamic(kind.clone(), Box::new(self.merge_all(nesting, prior, config)));
        }
        match (nesting, config) {
            (Nesting::Single, _) => self.merge(prior, config),
            (Nesting::Map, Value::Map(members)) => {
                Value::object(members.iter().map(|(key, config)| (key, self.merge(prior.get(key), config))))
            }
            (Nesting::List, Value::List(elements)) => {
                let prior = prior.as_list().unwrap_or_default().iter().chain(std::iter::repeat(&Value::Null));
                Value::list(elements.iter().zip(prior).map(|(config, prior)| self.merge(prior, config)))
            }
            (Nesting::Set, Value::List(elements)) => {
                let mut left: Vec<_> = prior.as_list().unwrap_or_default().iter().collect();
                Value::list(elements.iter().map(|config| {
                    let same = left.iter().position(|prior| self.derives(prior, config));
                    self.merge(same.map_or(&Value::Null, |index| left.remove(index)), config)
                }))
            }
            (_, other) => other.clone(),
        }
    }

    /// Whether an element of a set may be what became of a configured one: only computed parts were added.
    fn derives(self, prior: &Value, config: &Value) -> bool {
        let attributes = self.attributes.iter().all(|one| {
            let (prior, config) = (prior.get(one.name()), config.get(one.name()));
            match one.shape() {
                Shape::Nested(nesting, inner) => Self::nested(inner).all_derive(*nesting, prior, config),
                Shape::Type(_) => prior == config || (one.is_computed() && config.is_null()),
            }
        });
        let blocks = || {
            self.blocks.iter().all(|one| {
                let (prior, config) = (prior.get(one.name()), config.get(one.name()));
                Self::of(one.content()).all_derive(mode(one), prior, config)
            })
        };
        attributes && blocks()
    }

    fn all_derive(self, nesting: Nesting, prior: &Value, config: &Value) -> bool {
        if prior == config || prior.is_null() {
            return true;
        }
        match (nesting, prior.plain(), config.plain()) {
            (_, _, Value::Null) | (Nesting::Set, ..) => false,
            (Nesting::List, Value::List(prior), Value::List(config)) => {
                prior.len() <= config.len()
                    && prior.iter().zip(config).all(|(prior, config)| self.derives(prior, config))
            }
            (Nesting::Map, Value::Map(prior), Value::Map(config)) => prior
                .iter()
                .all(|(key, prior)| config.get(key).is_some_and(|config| self.derives(prior, config))),
            _ => self.derives(prior, config),
        }
    }
}

fn attribute(of: &Attribute, prior: &Value, config: &Value) -> Value {
    match of.shape() {
        _ if of.is_computed() && config.is_null() => {
            if was_configured(of, prior) {
                Value::Null
            } else {
                prior.clone()
            }
        }
        Shape::Type(_) => config.clone(),
        Shape::Nested(nesting, inner) => Members::nested(inner).merge_all(*nesting, prior, config),
    }
}

/// Whether nested attributes that may also be computed hold something only a user can have written: it
/// is not kept when the user takes it away.
fn was_configured(of: &Attribute, prior: &Value) -> bool {
    let Shape::Nested(nesting, inner) = of.shape() else { return false };
    let elements: Vec<_> = match (nesting, prior.plain()) {
        (Nesting::Single, _) => vec![prior],
        (_, Value::List(elements)) => elements.iter().collect(),
        (_, Value::Map(members)) => members.values().collect(),
        _ => Vec::new(),
    };
    let holds = |element: &Value, one: &Attribute| {
        let part = element.get(one.name());
        !part.is_null() && (!one.is_computed() || was_configured(one, part))
    };
    of.mode() != crate::Mode::Computed
        && elements.into_iter().any(|element| inner.iter().any(|one| holds(element, one)))
}

fn mode(block: &NestedBlock) -> Nesting {
    block.nesting().unwrap_or(Nesting::Single)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::Type;

    fn inner() -> [Attribute; 2] {
        [Attribute::optional("a", Type::String), Attribute::optional_computed("c", Type::String)]
    }

    fn schema() -> Schema {
        let block = || inner().into_iter().fold(Block::new(), Block::attribute);
        let deep =
            Block::new().block(NestedBlock::list("rows", block())).block(NestedBlock::set("bag", block()));
        let open = block().attribute(Attribute::optional("any", Type::Dynamic));
        Schema::new()
            .attribute(Attribute::optional("plain", Type::String))
            .attribute(Attribute::optional_computed("both", Type::String))
            .attribute(Attribute::computed("id", Type::String))
            .attribute(Attribute::optional("secret", Type::String).write_only())
            .attribute(Attribute::optional("one", Shape::single(inner())))
            .attribute(Attribute::optional_computed("either", Shape::single(inner())))
            .attribute(Attribute::optional("list", Shape::list(inner())))
            .attribute(Attribute::optional("map", Shape::map(inner())))
            .attribute(Attribute::optional("set", Shape::set(inner())))
            .block(NestedBlock::single("single", block()))
            .block(NestedBlock::group("group", block()))
            .block(NestedBlock::list("rows", block()))
            .block(NestedBlock::map("named", block()))
            .block(NestedBlock::set("deep", deep))
            .block(NestedBlock::list("open", open))
    }

    fn value(json: &Json) -> Value {
        fn read(json: &Json) -> Value {
            match json {
                Json::String(text) if text == "?" => Value::Unknown,
                Json::String(text) => text.as_str().into(),
                Json::Bool(truth) => (*truth).into(),
                Json::Array(elements) => Value::list(elements.iter().map(read)),
                Json::Object(members) => Value::object(members.iter().map(|(name, json)| (name, read(json)))),
                Json::Null | Json::Number(_) => Value::Null,
            }
        }
        schema().complete(read(json)).unwrap()
    }

    #[test]
    fn merges_as_terraform_does() {
        for (prior, config, expected) in [
            // Creating and destroying.
            (json!(null), json!({ "plain": "x" }), json!({ "plain": "x" })),
            (json!({ "plain": "x" }), json!(null), json!(null)),
            // Attributes.
            (json!({ "plain": "x" }), json!({}), json!({})),
            (json!({ "plain": "x" }), json!({ "plain": "?" }), json!({ "plain": "?" })),
            (json!({ "id": "i", "both": "b" }), json!({}), json!({ "id": "i", "both": "b" })),
            (json!({ "both": "b" }), json!({ "both": "c" }), json!({ "both": "c" })),
            // Nested attributes.
            (
                json!({ "one": { "a": "x", "c": "y" } }),
                json!({ "one": { "a": "z" } }),
                json!({ "one": { "a": "z", "c": "y" } }),
            ),
            (json!({ "one": { "a": "x", "c": "y" } }), json!({}), json!({})),
            (json!({ "one": { "a": "x" } }), json!({ "one": "?" }), json!({ "one": "?" })),
            (json!({ "either": { "c": "y" } }), json!({}), json!({ "either": { "c": "y" } })),
            // What only a user can have written goes when the user takes it away.
            (json!({ "either": { "a": "x", "c": "y" } }), json!({}), json!({})),
            (
                json!({ "list": [{ "a": "x", "c": "1" }, { "a": "y", "c": "2" }] }),
                json!({ "list": [{ "a": "y" }] }),
                json!({ "list": [{ "a": "y", "c": "1" }] }),
            ),
            (
                json!({ "map": { "k": { "a": "x", "c": "1" } } }),
                json!({ "map": { "k": { "a": "z" }, "l": {} } }),
                json!({ "map": { "k": { "a": "z", "c": "1" }, "l": {} } }),
            ),
            // Elements of sets are the same if nothing but computed parts differs, each once.
            (
                json!({ "set": [{ "a": "x", "c": "1" }, { "a": "y", "c": "2" }] }),
                json!({ "set": [{ "a": "y" }, { "a": "z" }] }),
                json!({ "set": [{ "a": "y", "c": "2" }, { "a": "z" }] }),
            ),
            (
                json!({ "set": [{ "a": "x", "c": "1" }, { "a": "x", "c": "2" }] }),
                json!({ "set": [{ "a": "x" }, { "a": "x", "c": "2" }] }),
                json!({ "set": [{ "a": "x", "c": "1" }, { "a": "x", "c": "2" }] }),
            ),
            (
                json!({ "set": [{ "a": "x", "c": "1" }] }),
                json!({ "set": [{ "a": "?" }] }),
                json!({ "set": [{ "a": "?" }] }),
            ),
            // Blocks.
            (json!({ "single": { "c": "y" } }), json!({}), json!({})),
            (json!({ "single": { "c": "y" } }), json!({ "single": {} }), json!({ "single": { "c": "y" } })),
            (json!({ "group": { "a": "x", "c": "y" } }), json!({}), json!({ "group": { "c": "y" } })),
            (
                json!({ "rows": [{ "c": "1" }, { "c": "2" }] }),
                json!({ "rows": [{}, {}, {}] }),
                json!({ "rows": [{ "c": "1" }, { "c": "2" }, {}] }),
            ),
            (json!({ "rows": [{ "c": "1" }] }), json!({ "rows": "?" }), json!({ "rows": "?" })),
            (
                json!({ "named": { "k": { "c": "1" } } }),
                json!({ "named": { "k": { "a": "x" } } }),
                json!({ "named": { "k": { "a": "x", "c": "1" } } }),
            ),
            // Sets of blocks that hold blocks.
            (
                json!({ "deep": [{ "rows": [{ "a": "x", "c": "1" }] }] }),
                json!({ "deep": [{ "rows": [{ "a": "x" }] }] }),
                json!({ "deep": [{ "rows": [{ "a": "x", "c": "1" }] }] }),
            ),
            (
                json!({ "deep": [{ "rows": [{ "a": "x", "c": "1" }] }] }),
                json!({ "deep": [{ "rows": [{ "a": "y" }] }] }),
                json!({ "deep": [{ "rows": [{ "a": "y" }] }] }),
            ),
            // A set in there has to be as it was.
            (
                json!({ "deep": [{ "bag": [{ "a": "x", "c": "1" }] }] }),
                json!({ "deep": [{ "bag": [{ "a": "x" }] }] }),
                json!({ "deep": [{ "bag": [{ "a": "x" }] }] }),
            ),
            // Elements that differ in type.
            (
                json!({ "open": [{ "a": null, "any": "x", "c": "1" }, { "a": "y", "any": true, "c": "2" }] }),
                json!({ "open": [{ "a": null, "any": "x", "c": null }, { "a": "y", "any": true, "c": null }] }),
                json!({ "open": [{ "a": null, "any": "x", "c": "1" }, { "a": "y", "any": true, "c": "2" }] }),
            ),
        ] {
            let merged = proposed(&schema(), &value(&prior), &value(&config));
            let merged = schema().complete(merged).unwrap();
            assert_eq!(plain(merged), plain(value(&expected)), "{prior} {config}");
        }
    }

    /// Without the types that values bring.
    fn plain(value: Value) -> Value {
        value.map(&mut |_, part| part.plain().clone())
    }

    #[test]
    fn write_only_values_are_proposed() {
        let config = value(&json!({})).with("secret", "s");
        let merged = proposed(&schema(), &value(&json!({ "plain": "x" })), &config);
        assert_eq!(*merged.get("secret"), "s".into());
    }
}
