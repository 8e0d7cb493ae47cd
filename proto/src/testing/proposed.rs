//! The state Terraform proposes: the configuration, and what is computed and not configured as it was.
//!
//! Source: `ProposedNew`, package `objchange` of OpenTofu.

use crate::{Attribute, Block, Nesting, Schema, Shape, Value};

pub(crate) fn proposed(schema: &Schema, prior: &Value, config: &Value) -> Value {
    block(schema.top(), prior, config)
}

fn block(block: &Block, prior: &Value, config: &Value) -> Value {
    if !matches!(config, Value::Map(_)) {
        return config.clone();
    }
    let blocks = block.blocks().iter().map(|nested| {
        let (prior, config) = (prior.get(nested.name()), config.get(nested.name()));
        let merge = |prior: &Value, config: &Value| self::block(nested.content(), prior, config);
        (nested.name(), elements(nested.nesting().unwrap_or(Nesting::Single), prior, config, &merge))
    });
    attributes(block.attributes(), prior, config, blocks.collect())
}

fn attributes(of: &[Attribute], prior: &Value, config: &Value, blocks: Vec<(&str, Value)>) -> Value {
    if !matches!(config, Value::Map(_)) {
        return config.clone();
    }
    let own =
        of.iter().map(|one| (one.name(), attribute(one, prior.get(one.name()), config.get(one.name()))));
    Value::object(own.chain(blocks))
}

fn attribute(of: &Attribute, prior: &Value, config: &Value) -> Value {
    match of.shape() {
        _ if of.is_write_only() => Value::Null,
        _ if of.is_computed() && config.is_null() => prior.clone(),
        Shape::Type(_) => config.clone(),
        Shape::Nested(nesting, inner) => {
            let merge = |prior: &Value, config: &Value| attributes(inner, prior, config, Vec::new());
            elements(*nesting, prior, config, &merge)
        }
    }
}

/// Merges each configured element with the one it was before.
fn elements(
    nesting: Nesting,
    prior: &Value,
    config: &Value,
    merge: &dyn Fn(&Value, &Value) -> Value,
) -> Value {
    match (nesting, config) {
        (Nesting::Single, _) => merge(prior, config),
        (Nesting::Map, Value::Map(members)) => {
            Value::object(members.iter().map(|(key, config)| (key, merge(prior.get(key), config))))
        }
        (Nesting::List, Value::List(elements)) => {
            let prior = prior.as_list().unwrap_or_default().iter().chain(std::iter::repeat(&Value::Null));
            Value::list(elements.iter().zip(prior).map(|(config, prior)| merge(prior, config)))
        }
        (Nesting::Set, Value::List(elements)) => {
            // The same element is one that merging leaves as it was.
            let prior = prior.as_list().unwrap_or_default();
            let same = |config: &Value| prior.iter().find(|prior| merge(prior, config) == **prior);
            Value::list(
                elements
                    .iter()
                    .map(|config| same(config).cloned().unwrap_or_else(|| merge(&Value::Null, config))),
            )
        }
        (_, other) => other.clone(),
    }
}
