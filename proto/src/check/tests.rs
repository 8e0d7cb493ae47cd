//! One schema with a bit of everything, and what may be made of it.

use serde_json::{Value as Json, json};

use super::*;

fn schema() -> Schema {
    let inner = || [Attribute::optional("a", Type::String), Attribute::optional_computed("c", Type::String)];
    let block = inner().into_iter().fold(Block::new(), Block::attribute);
    Schema::new()
        .attribute(Attribute::optional("plain", Type::String))
        .attribute(Attribute::optional("tags", Type::set(Type::String)))
        .attribute(Attribute::computed("id", Type::String))
        .attribute(Attribute::optional_computed("both", Type::String))
        .attribute(Attribute::optional("secret", Type::String).write_only())
        .attribute(Attribute::optional("any", Type::Dynamic))
        .attribute(Attribute::optional("one", Shape::single(inner())))
        .attribute(Attribute::optional("map", Shape::map(inner())))
        .block(NestedBlock::list("rows", block.clone()))
        .block(NestedBlock::set("bag", block))
}

/// A value of the schema. `"?"` is unknown; the secret is left as given.
fn value(json: Json) -> Value {
    fn read(json: Json) -> Value {
        match json {
            Json::String(text) if text == "?" => Value::Unknown,
            Json::String(text) => text.into(),
            Json::Bool(truth) => truth.into(),
            Json::Array(elements) => Value::list(elements.into_iter().map(read)),
            Json::Object(members) => {
                Value::object(members.into_iter().map(|(name, json)| (name, read(json))))
            }
            Json::Null | Json::Number(_) => Value::Null,
        }
    }
    let secret = json.get("secret").cloned().unwrap_or_default();
    match schema().complete(read(json)).unwrap() {
        Value::Null => Value::Null,
        value => value.with("secret", read(secret)),
    }
}

fn shown(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn plans() {
    let absent = || json!(null);
    for (prior, config, planned, expected) in [
        (absent(), json!({}), json!({}), ""),
        (absent(), absent(), absent(), ""),
        (absent(), json!({}), absent(), "the resource is configured and cannot be planned absent"),
        (absent(), absent(), json!({}), "the resource is not configured and cannot be planned"),
        // Configured is as configured, or as it was.
        (absent(), json!({ "plain": "x" }), json!({ "plain": "x" }), ""),
        (
            absent(),
            json!({ "plain": "x" }),
            json!({ "plain": "X" }),
            "`plain` is planned neither as configured nor as it was before",
        ),
        (json!({ "plain": "X" }), json!({ "plain": "x" }), json!({ "plain": "X" }), ""),
        (
            json!({ "plain": "X" }),
            json!({}),
            json!({ "plain": "X" }),
            "`plain` is not computed and must be null, as configured",
        ),
        (
            absent(),
            json!({ "plain": "?" }),
            json!({ "plain": "x" }),
            "`plain` is planned neither as configured nor as it was before",
        ),
        // Computed is ours where it is not configured.
        (absent(), json!({}), json!({ "id": "?", "both": "d" }), ""),
        (
            absent(),
            json!({ "both": "x" }),
            json!({ "both": "?" }),
            "`both` is planned neither as configured nor as it was before",
        ),
        (absent(), json!({ "secret": "s" }), json!({}), ""),
        (
            absent(),
            json!({ "secret": "s" }),
            json!({ "secret": "s" }),
            "`secret` is write-only and must be null in the plan",
        ),
        // Nested attributes.
        (absent(), json!({ "one": { "a": "x" } }), json!({ "one": { "a": "x", "c": "?" } }), ""),
        (
            absent(),
            json!({ "one": { "a": "x" } }),
            json!({ "one": { "a": "y" } }),
            "`one.a` is planned neither as configured nor as it was before",
        ),
        (
            absent(),
            json!({ "one": { "a": "x" } }),
            json!({}),
            "`one` is configured and cannot be planned absent",
        ),
        (
            absent(),
            json!({ "one": { "a": "x" } }),
            json!({ "one": "?" }),
            "`one` is configured and cannot be planned unknown",
        ),
        (absent(), json!({}), json!({ "one": {} }), "`one` is not computed and must be null, as configured"),
        (absent(), json!({ "map": { "k": {} } }), json!({ "map": { "k": { "c": "x" } } }), ""),
        (
            absent(),
            json!({ "map": { "k": {} } }),
            json!({ "map": {} }),
            "`map` has other elements in the plan than in the configuration",
        ),
        (
            absent(),
            json!({ "map": { "k": {} } }),
            json!({ "map": { "k": { "a": "x" } } }),
            "`map[\"k\"].a` is not computed and must be null, as configured",
        ),
        // Blocks.
        (absent(), json!({ "rows": [{}] }), json!({ "rows": [{ "c": "?" }] }), ""),
        (
            absent(),
            json!({ "rows": [{}] }),
            json!({ "rows": [] }),
            "`rows` has other elements in the plan than in the configuration",
        ),
        (
            absent(),
            json!({ "rows": [{ "a": "x" }] }),
            json!({ "rows": [{}] }),
            "`rows[0].a` is planned neither as configured nor as it was before",
        ),
        (
            absent(),
            json!({ "rows": "?" }),
            json!({ "rows": [] }),
            "`rows` is a block not known yet and must stay so",
        ),
        (
            absent(),
            json!({ "rows": [] }),
            json!({ "rows": "?" }),
            "`rows` is a block and cannot be unknown itself",
        ),
        (absent(), json!({ "bag": [{ "a": "x" }] }), json!({ "bag": [{ "a": "x", "c": "?" }] }), ""),
        (
            absent(),
            json!({ "bag": [] }),
            json!({ "bag": [{}] }),
            "`bag` has more elements in the plan than in the configuration",
        ),
    ] {
        let case = format!("{prior} {config} {planned}");
        let faults = plan(&schema(), &value(prior), &value(config), &value(planned));
        assert_eq!(shown(&faults), expected, "{case}");
    }
}

#[test]
fn results() {
    for (planned, state, expected) in [
        (json!(null), json!(null), ""),
        (json!({}), json!(null), "the resource was present and is now absent"),
        (json!(null), json!({}), "the resource was absent and is now present"),
        (
            json!({ "id": "?", "one": "?", "rows": "?" }),
            json!({ "id": "x", "one": { "a": "y" }, "rows": [{}, {}] }),
            "",
        ),
        (json!({ "id": "x" }), json!({ "id": "y" }), "`id` has another value than planned"),
        (json!({ "id": "x" }), json!({}), "`id` was present and is now absent"),
        (json!({}), json!({ "id": "x" }), "`id` was absent and is now present"),
        (json!({ "id": "x" }), json!({ "id": "?" }), "`id` was known and is now unknown"),
        (json!({ "map": { "k": { "c": "?" } } }), json!({ "map": { "k": { "c": "x" } } }), ""),
        (
            json!({ "map": { "k": {} } }),
            json!({ "map": { "l": {} } }),
            "`map` has other elements than planned",
        ),
        (
            json!({ "map": { "k": {} } }),
            json!({ "map": { "k": { "a": "x" } } }),
            "`map[\"k\"].a` was absent and is now present",
        ),
        (json!({ "rows": [{}] }), json!({ "rows": [{}, {}] }), "`rows` has other elements than planned"),
        // Unknown elements of a set may become equal, but not more.
        (json!({ "tags": ["a", "?"] }), json!({ "tags": ["a"] }), ""),
        (json!({ "tags": ["a", "?"] }), json!({ "tags": ["a", "b"] }), ""),
        (json!({ "tags": ["a", "?"] }), json!({ "tags": ["b"] }), "`tags` has other elements than planned"),
        (
            json!({ "tags": ["a", "?"] }),
            json!({ "tags": ["a", "b", "c"] }),
            "`tags` has other elements than planned",
        ),
        (json!({ "bag": [{ "a": "x", "c": "?" }] }), json!({ "bag": [{ "a": "x", "c": "y" }] }), ""),
        (
            json!({ "bag": [{ "a": "x" }] }),
            json!({ "bag": [{ "a": "y" }] }),
            "`bag` has other elements than planned",
        ),
        (json!({ "any": "x" }), json!({ "any": "x" }), ""),
        (json!({ "any": "x" }), json!({ "any": true }), "`any` changed its type"),
    ] {
        let case = format!("{planned} {state}");
        assert_eq!(shown(&apply(&schema(), &value(planned), &value(state))), expected, "{case}");
    }
}
