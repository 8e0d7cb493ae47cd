//! Plans of one schema with a bit of everything.

use serde_json::{Value as Json, json};

use super::*;
use crate::{Block, NestedBlock, Shape, Type, check, testing::proposed::proposed};

fn text(name: &str) -> Attribute {
    Attribute::optional(name, Type::String)
}

fn computed(name: &str) -> Attribute {
    Attribute::computed(name, Type::String)
}

/// What elements of nested attributes and blocks are made of.
fn inner() -> [Attribute; 4] {
    [
        text("name").requires_replace(),
        text("kind").default("plain"),
        computed("key").depends_on(["name"]),
        computed("any"),
    ]
}

fn schema() -> Schema {
    let block = inner().into_iter().fold(Block::new(), Block::attribute);
    Schema::new()
        .attribute(text("name").requires_replace())
        .attribute(text("size").requires_replace_if(|prior, planned| prior.as_str() > planned.as_str()))
        .attribute(text("mode").default("safe"))
        .attribute(text("json").same_if(|prior, config| {
            prior.as_str().map(str::to_lowercase) == config.as_str().map(str::to_lowercase)
        }))
        .attribute(text("secret").write_only())
        .attribute(Attribute::optional("tags", Type::set(Type::String)))
        .attribute(computed("id").keeps_prior())
        .attribute(computed("hash").depends_on(["size", "tags"]))
        .attribute(computed("url").depends_on(["hash"]))
        .attribute(computed("etag"))
        .attribute(Attribute::optional_computed("zone", Type::String).keeps_prior().requires_replace())
        .attribute(Attribute::optional("one", Shape::single(inner())))
        .attribute(Attribute::optional("map", Shape::map(inner())))
        .attribute(Attribute::optional("bag", Shape::set(inner())))
        .block(NestedBlock::list("rows", block.clone()))
        .block(NestedBlock::set("pool", block))
}

/// A value of the schema; `"?"` is unknown.
fn value(json: Json) -> Value {
    fn read(json: Json) -> Value {
        match json {
            Json::String(text) if text == "?" => Value::Unknown,
            Json::String(text) => text.into(),
            Json::Array(elements) => Value::list(elements.into_iter().map(read)),
            Json::Object(members) => {
                Value::object(members.into_iter().map(|(name, json)| (name, read(json))))
            }
            _ => Value::Null,
        }
    }
    schema().complete(read(json)).unwrap()
}

/// As `value` reads it; what is absent is left out.
fn shown(value: &Value) -> Json {
    match value {
        value if value.is_unknown() => json!("?"),
        Value::String(text) => json!(text),
        Value::List(elements) => elements.iter().map(shown).collect(),
        Value::Map(members) => {
            let there =
                |value: &Value| !value.is_null() && value.as_list().is_none_or(|list| !list.is_empty());
            let members = members.iter().filter(|(_, value)| there(value));
            Json::Object(members.map(|(name, value)| (name.clone(), shown(value))).collect())
        }
        _ => Json::Null,
    }
}

/// Plans, and expects what is planned and what requires a replacement.
fn check(prior: Json, config: Json, planned: Json, replaces: &[&str]) {
    let case = format!("{prior} {config}");
    let (schema, prior, config) = (schema(), value(prior), value(config));
    let proposed = proposed(&schema, &prior, &config);
    let answer = schema.plan(&prior, &proposed, &config);
    assert_eq!(shown(&answer.planned), shown(&value(planned)), "{case}");
    let paths: Vec<_> = answer.requires_replace.iter().map(ToString::to_string).collect();
    assert_eq!(paths, replaces, "{case}");
    assert!(answer.diagnostics.is_empty(), "{case}: {:?}", answer.diagnostics);
    assert_eq!(check::plan(&schema, &prior, &config, &answer.planned), [], "{case}");
}

#[test]
fn the_schema_is_sound() {
    assert_eq!(schema().check(), []);
}

#[test]
fn creating() {
    let all = json!({ "mode": "safe", "id": "?", "hash": "?", "url": "?", "etag": "?", "zone": "?" });
    let with = |name: &str, value: Json| {
        let mut all = all.clone();
        all[name] = value;
        all
    };
    let fresh = |name: &str| json!({ "name": name, "kind": "plain", "key": "?", "any": "?" });
    for (config, planned) in [
        (json!({}), all.clone()),
        (json!({ "mode": "?" }), with("mode", json!("?"))),
        (json!({ "zone": "z" }), with("zone", json!("z"))),
        (json!({ "secret": "s" }), all.clone()),
        (json!({ "one": { "name": "a" } }), with("one", fresh("a"))),
        (json!({ "one": "?" }), with("one", json!("?"))),
        (json!({ "map": { "k": { "name": "?" } } }), with("map", json!({ "k": fresh("?") }))),
        (json!({ "bag": [{ "name": "a" }, { "name": "b" }] }), with("bag", json!([fresh("a"), fresh("b")]))),
        (json!({ "rows": [{ "name": "a" }] }), with("rows", json!([fresh("a")]))),
        (json!({ "rows": "?" }), with("rows", json!("?"))),
    ] {
        check(json!(null), config, planned, &[]);
    }
    check(json!({}), json!(null), json!(null), &[]);
}

#[test]
fn computed_blocks() {
    let inner = || Block::new().attribute(computed("c"));
    let schema = Schema::new()
        .attribute(text("a"))
        .attribute(text("b"))
        .block(NestedBlock::list("rows", inner()).computed().depends_on(["a"]))
        .block(NestedBlock::single("one", inner()).computed().keeps_prior());
    assert_eq!(schema.check(), []);
    let state = |a: &str, b: &str| {
        let row = Value::object([("c", "x".into())]);
        let state = Value::object([("a", a.into()), ("b", b.into()), ("rows", Value::list([row.clone()]))]);
        state.with("one", row)
    };
    let config =
        |a: &str, b: &str| schema.complete(Value::object([("a", a.into()), ("b", b.into())])).unwrap();
    let plan = |prior: &Value, config: &Value| {
        let planned = schema.plan(prior, &proposed(&schema, prior, config), config).planned;
        assert_eq!(check::plan(&schema, prior, config, &planned), []);
        planned
    };
    let created = plan(&Value::Null, &config("a", "b"));
    assert!(created.get("rows").is_unknown() && created.get("one").is_unknown());
    assert_eq!(plan(&state("a", "b"), &config("a", "c")), state("a", "c"));
    let changed = plan(&state("a", "b"), &config("z", "b"));
    assert!(changed.get("rows").is_unknown());
    assert_eq!(changed.get("one"), state("z", "b").get("one"));
}

/// A state, and the same as configured.
fn before() -> (Json, Json) {
    let element = |name: &str| json!({ "name": name, "kind": "plain", "key": name, "any": "x" });
    let prior = json!({
        "name": "n", "size": "5", "mode": "safe", "json": "J", "id": "1", "hash": "h", "url": "u", "etag": "e",
        "zone": "z", "one": element("o"), "map": { "k": element("m") }, "bag": [element("a"), element("b")],
        "rows": [element("r")], "pool": [element("p")],
    });
    let config = json!({
        "name": "n", "size": "5", "json": "J", "one": { "name": "o" }, "map": { "k": { "name": "m" } },
        "bag": [{ "name": "b" }, { "name": "a" }], "rows": [{ "name": "r" }], "pool": [{ "name": "p" }],
    });
    (prior, config)
}

/// Changes parts of the configuration, and expects changes of the plan.
fn check_update(changes: &Json, planned: &Json, replaces: &[&str]) {
    let put = |into: &mut Json, changes: &Json| {
        for (pointer, value) in changes.as_object().unwrap() {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = into.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            if value.is_null() {
                parent.remove(name)
            } else {
                parent.insert(name.to_owned(), value.clone())
            };
        }
    };
    let (prior, mut config) = before();
    let mut expected = prior.clone();
    put(&mut config, changes);
    put(&mut expected, planned);
    check(prior, config, expected, replaces);
}

#[test]
fn without_change() {
    check_update(&json!({}), &json!({}), &[]);
    check_update(&json!({ "/json": "j" }), &json!({}), &[]);
    check_update(&json!({ "/secret": "s" }), &json!({}), &[]);
    check_update(&json!({ "/mode": "safe", "/zone": "z" }), &json!({}), &[]);
}

/// What becomes unknown by any change: the computed attributes that declare nothing.
fn anything(mut planned: Json) -> Json {
    let element = |name: &str| json!({ "name": name, "kind": "plain", "key": name, "any": "?" });
    let sets = [("/bag", json!([element("a"), element("b")])), ("/pool", json!([element("p")]))];
    let plain = ["/etag", "/one/any", "/map/k/any", "/rows/0/any"].map(|pointer| (pointer, json!("?")));
    for (pointer, value) in plain.into_iter().chain(sets) {
        let planned = planned.as_object_mut().unwrap();
        planned.entry(pointer).or_insert(value);
    }
    planned
}

#[test]
fn updating() {
    for (changes, planned, replaces) in [
        // Computed values follow what they declare, and each other.
        (json!({ "/tags": ["t"] }), json!({ "/tags": ["t"], "/hash": "?", "/url": "?" }), ""),
        (json!({ "/json": "other" }), json!({ "/json": "other" }), ""),
        (json!({ "/json": "?" }), json!({ "/json": "?" }), ""),
        // A default is planned wherever the configuration is silent.
        (json!({ "/mode": "fast" }), json!({ "/mode": "fast" }), ""),
        (json!({ "/one/kind": "k" }), json!({ "/one/kind": "k" }), ""),
        // Replacing: what changed, or may have.
        (json!({ "/name": "other" }), json!({ "/name": "other" }), "name"),
        (json!({ "/name": "?" }), json!({ "/name": "?" }), "name"),
        (json!({ "/name": null }), json!({ "/name": null }), "name"),
        (json!({ "/size": "4" }), json!({ "/size": "4", "/hash": "?", "/url": "?" }), "size"),
        (json!({ "/size": "6" }), json!({ "/size": "6", "/hash": "?", "/url": "?" }), ""),
        (json!({ "/size": "?" }), json!({ "/size": "?", "/hash": "?", "/url": "?" }), "size"),
        (json!({ "/zone": "y" }), json!({ "/zone": "y" }), "zone"),
        (json!({ "/one/name": "?" }), json!({ "/one/name": "?", "/one/key": "?" }), "one.name"),
        (json!({ "/one": "?" }), json!({ "/one": "?", "/one/any": null }), "one"),
        (json!({ "/one": null }), json!({ "/one": null }), ""),
    ] {
        let unknown_or_gone = matches!(changes.get("/one"), Some(Json::String(_) | Json::Null));
        let mut planned = anything(planned);
        if unknown_or_gone {
            planned.as_object_mut().unwrap().remove("/one/any");
        }
        let replaces: Vec<_> = replaces.split_terminator(' ').collect();
        check_update(&changes, &planned, &replaces);
    }
}

#[test]
fn elements() {
    let element = |name: &str| json!({ "name": name, "kind": "plain", "key": name, "any": "?" });
    let fresh = |name: &str| json!({ "name": name, "kind": "plain", "key": "?", "any": "?" });
    let all = |names: &[&str]| names.iter().map(|name| json!({ "name": name })).collect::<Json>();
    for (at, config, planned, replaces) in [
        // By position.
        ("/rows", all(&["s"]), json!([fresh("s")]), "rows[0].name"),
        ("/rows", all(&["r", "s"]), json!([element("r"), fresh("s")]), "rows[1].name"),
        ("/rows", json!([]), json!(null), ""),
        ("/rows", json!("?"), json!("?"), "rows"),
        // By key.
        ("/map", json!({ "l": { "name": "m" } }), json!({ "l": fresh("m") }), "map[\"l\"].name"),
        // By content.
        ("/bag", all(&["b"]), json!([element("b")]), ""),
        ("/bag", all(&["c", "b"]), json!([element("b"), fresh("c")]), "bag"),
        ("/bag", all(&["?", "b"]), json!([fresh("?"), element("b")]), "bag"),
        ("/pool", all(&["q", "p"]), json!([element("p"), fresh("q")]), "pool"),
        ("/pool", json!("?"), json!("?"), "pool"),
    ] {
        let mut planned = anything(json!({ at: planned }));
        for inside in ["/rows/0/any", "/map/k/any"].into_iter().filter(|inside| inside.starts_with(at)) {
            planned.as_object_mut().unwrap().remove(inside);
        }
        let replaces: Vec<_> = replaces.split_terminator(' ').collect();
        check_update(&json!({ at: config }), &planned, &replaces);
    }
}
