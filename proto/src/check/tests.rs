//! One schema with a bit of everything, and what may be made of it.

use serde_json::{Value as Json, json};

use super::*;
use crate::{Attribute, Block, IdentitySchema, NestedBlock, Refinement, Schema, Shape, Type};

fn schema() -> Schema {
    let inner = || [Attribute::optional("a", Type::String), Attribute::optional_computed("c", Type::String)];
    let block = inner().into_iter().fold(Block::new(), Block::attribute);
    let computed = Block::new().attribute(Attribute::computed("c", Type::String));
    Schema::new()
        .attribute(Attribute::optional("plain", Type::String))
        .attribute(Attribute::optional("tags", Type::set(Type::String)))
        .attribute(Attribute::computed("id", Type::String))
        .attribute(Attribute::optional_computed("both", Type::String))
        .attribute(Attribute::optional("secret", Type::String).write_only())
        .attribute(Attribute::optional("any", Type::Dynamic))
        .attribute(Attribute::optional("one", Shape::single(inner())))
        .attribute(Attribute::optional("map", Shape::map(inner())))
        .attribute(Attribute::optional("several", Shape::set(inner())))
        .block(NestedBlock::list("rows", block.clone()))
        .block(NestedBlock::set("bag", block.clone()))
        .block(NestedBlock::single("single", block.clone()))
        .block(NestedBlock::group("group", block))
        .block(NestedBlock::list("filled", computed).computed())
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
        // The number of blocks in a set is not judged, that of elements of an attribute is, once settled.
        (absent(), json!({ "bag": [] }), json!({ "bag": [{}] }), ""),
        (
            absent(),
            json!({ "bag": [{}] }),
            json!({ "bag": ["?"] }),
            "`bag` has an element that is a block and cannot be unknown itself",
        ),
        (absent(), json!({ "several": [{ "a": "x" }] }), json!({ "several": [{ "a": "x", "c": "?" }] }), ""),
        (
            absent(),
            json!({ "several": [{ "a": "x" }] }),
            json!({ "several": [{ "a": "x" }, { "a": "y" }] }),
            "`several` has other elements in the plan than in the configuration",
        ),
        (
            absent(),
            json!({ "several": [{ "a": "x" }, { "a": "y" }] }),
            json!({ "several": [{ "a": "x" }] }),
            "`several` has other elements in the plan than in the configuration",
        ),
        (
            absent(),
            json!({ "several": [{ "a": "x" }, { "a": "?" }] }),
            json!({ "several": [{ "a": "x" }] }),
            "",
        ),
        // Blocks that occur once.
        (absent(), json!({ "single": {} }), json!({}), "`single` is configured and cannot be planned absent"),
        (absent(), json!({}), json!({ "single": {} }), "`single` is not configured and cannot be planned"),
        (absent(), json!({ "group": { "a": "x" } }), json!({ "group": { "a": "x", "c": "y" } }), ""),
        (
            absent(),
            json!({}),
            json!({ "group": { "a": "x" } }),
            "`group.a` is not computed and must be null, as configured",
        ),
        (
            absent(),
            json!({ "rows": [{}] }),
            json!({ "rows": ["?"] }),
            "`rows[0]` has an element that is a block and cannot be unknown itself",
        ),
        // Blocks the provider fills.
        (absent(), json!({}), json!({ "filled": [{ "c": "x" }] }), ""),
        (absent(), json!({}), json!({ "filled": "?" }), ""),
        (
            absent(),
            json!({ "filled": [{}] }),
            json!({ "filled": "?" }),
            "`filled` is a block and cannot be unknown itself",
        ),
        (
            absent(),
            json!({ "filled": [{}] }),
            json!({ "filled": [{}, {}] }),
            "`filled` has other elements in the plan than in the configuration",
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
        (json!({ "id": "x" }), json!({ "id": "?" }), "`id` is still unknown"),
        (json!({ "id": "?" }), json!({ "id": "?" }), "`id` is still unknown"),
        (json!({}), json!({ "secret": "s" }), "`secret` is write-only and must be null in a state"),
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
        (json!({ "any": "x" }), json!({}), "`any` was present and is now absent"),
        (json!({ "any": ["?"] }), json!({ "any": ["x"] }), ""),
        (json!({ "any": ["?"] }), json!({ "any": ["x", "y"] }), "`any` changed its type"),
        // Nothing is promised about these.
        (json!({}), json!({ "any": "x" }), ""),
        (json!({ "any": "?" }), json!({ "any": "x" }), ""),
    ] {
        let case = format!("{planned} {state}");
        assert_eq!(shown(&apply(&schema(), &value(planned), &value(state))), expected, "{case}");
    }
}

#[test]
fn plans_made_again() {
    for (first, second, expected) in [
        (json!({ "id": "?" }), json!({ "id": "?" }), ""),
        (json!({ "id": "?" }), json!({ "id": "x" }), ""),
        (json!({ "id": "x" }), json!({ "id": "x" }), ""),
        (json!({ "id": "x" }), json!({ "id": "?" }), "`id` was known and is now unknown"),
        (json!({ "id": "x" }), json!({ "id": "y" }), "`id` has another value than planned"),
        (json!({ "any": "x" }), json!({ "any": "?" }), "`any` was known and is now unknown"),
        (json!({ "rows": "?" }), json!({ "rows": [{}] }), ""),
        (json!({}), json!(null), "the resource was present and is now absent"),
    ] {
        let case = format!("{first} {second}");
        assert_eq!(shown(&replan(&schema(), &value(first), &value(second))), expected, "{case}");
    }
}

#[test]
fn what_was_promised_of_the_unknown() {
    let promised = value(json!({})).with("id", Refinement::prefix("arn:"));
    let broken = "`id` is not what the plan promised of it";
    for (id, expected) in [("arn:x", ""), ("x", broken)] {
        let state = value(json!({ "id": id }));
        assert_eq!(shown(&apply(&schema(), &promised, &state)), expected);
    }
    assert_eq!(shown(&apply(&schema(), &promised, &value(json!({})))), broken);
    let configured = value(json!({})).with("plain", Refinement::prefix("arn:"));
    let unknown = value(json!({ "plain": "?" }));
    assert_eq!(shown(&plan(&schema(), &Value::Null, &configured, &unknown)), "");
}

#[test]
fn paths_that_force_a_replacement() {
    let at = |name: &str| Path::from(name);
    for (prior, planned, path, exists) in [
        (json!({}), json!({}), at("plain"), true),
        (json!({}), json!({}), at("nothing"), false),
        (json!({}), json!({}), at("one").attribute("a"), false),
        (json!({ "one": {} }), json!({}), at("one").attribute("a"), true),
        (json!({}), json!({ "rows": [{}] }), at("rows").index(0).attribute("a"), true),
        (json!({}), json!({ "rows": [{}] }), at("rows").index(1).attribute("a"), false),
        (json!({}), json!({ "map": { "k": {} } }), at("map").key("k").attribute("a"), true),
        (json!({}), json!({ "map": { "k": {} } }), at("map").key("l"), false),
        (json!({}), json!({ "map": "?" }), at("map").key("l"), true),
        (json!({}), json!({ "tags": ["a"] }), at("tags").index(0), false),
        // For creating and destroying, Terraform does not look.
        (json!(null), json!({}), at("nothing"), true),
    ] {
        let case = format!("{prior} {planned} {path}");
        let faults = replaces(&schema(), &value(prior), &value(planned), &[path]);
        assert_eq!(faults.is_empty(), exists, "{case}");
    }
}

#[test]
fn states() {
    for (state, expected) in [
        (json!(null), ""),
        (json!({ "rows": [{}], "one": {}, "several": [{}] }), ""),
        (json!({ "one": { "c": "?" } }), "`one.c` is still unknown"),
        (json!({ "secret": "s" }), "`secret` is write-only and must be null in a state"),
    ] {
        assert_eq!(shown(&super::state(&schema(), &value(state.clone()))), expected, "{state}");
    }
    let torn = value(json!({})).with("rows", Value::Null).with("group", Value::Null);
    let expected =
        "`rows` is a block and cannot be null, only empty; `group` is a block and cannot be null, only empty";
    assert_eq!(shown(&super::state(&schema(), &torn)), expected);
}

#[test]
fn opened_ephemeral_resources() {
    let check = |config, result| shown(&ephemeral(&schema(), &value(config), &value(result)));
    assert_eq!(check(json!({ "plain": "x" }), json!({ "plain": "x", "id": "y" })), "");
    assert_eq!(check(json!({}), json!(null)), "the resource is configured and cannot be planned absent");
    assert_eq!(check(json!({}), json!({ "id": "?" })), "`id` is still unknown");
    let expected = "`plain` is planned neither as configured nor as it was before";
    assert_eq!(check(json!({ "plain": "x" }), json!({ "plain": "y" })), expected);
}

#[test]
fn identities() {
    let schema = IdentitySchema::new().required("name", Type::String, "").optional("zone", Type::String, "");
    let named = |name: &str| Value::object([("name", name.into()), ("zone", Value::Null)]);
    let unknown = named("x").with("zone", Value::Unknown);
    for (value, expected) in [
        (named("x"), ""),
        (Value::Null, "the resource has no identity"),
        (unknown, "`zone` is a part of the identity and still unknown"),
        (named("x").with("name", true), "`name` must be string, not a bool"),
        (
            named("x").with("other", true),
            "`other` must be left out (the schema has no such attribute), not a bool",
        ),
    ] {
        assert_eq!(shown(&identity(&schema, &value)), expected, "{value:?}");
    }
    assert_eq!(shown(&same_identity(&named("x"), &named("x").with("zone", "z"))), "");
    assert_eq!(
        shown(&same_identity(&named("x"), &named("y"))),
        "`name` is a part of the identity and cannot change"
    );
}
