//! Every argument that is a text says what is wrong with an empty one, at itself, unless it may be empty.

use tfplugin_rs::{Diagnostics, Mode, Schema, Type, Value, testing::State};

use crate::offline::offline;

/// What may be empty: values that go somewhere as they are.
const FREE: [&str; 8] = [
    "ecr_image.annotations[]",
    "ecr_image.build.args[]",
    "ecr_image.build.secrets_wo[]",
    "ecr_image.files.cmd[]",
    "ecr_image.files.entrypoint[]",
    "ecr_image.files.env[]",
    "ecr_image.labels[]",
    "ecr_image.triggers[]",
];

/// Each text inside of a type: where it is, and a value that has it empty and nothing else.
fn with_an_empty_text(kind: &Type, at: &str) -> Vec<(String, Value)> {
    let inside = |of: &Type, at: String, wrap: &dyn Fn(Value) -> Value| {
        with_an_empty_text(of, &at).into_iter().map(|(at, value)| (at, wrap(value))).collect::<Vec<_>>()
    };
    match kind {
        Type::String => vec![(at.to_owned(), "".into())],
        Type::List(of) | Type::Set(of) => inside(of, format!("{at}[]"), &|value| Value::list([value])),
        Type::Map(of) => inside(of, format!("{at}[]"), &|value| Value::object([("key", value)])),
        Type::Object(members) => {
            let member = |(name, of): (&String, &Type)| {
                inside(of, format!("{at}.{name}"), &|value| Value::object([(name.as_str(), value)]))
            };
            members.iter().flat_map(member).collect()
        }
        _ => Vec::new(),
    }
}

/// The arguments that take an empty text of what there is of a schema.
async fn that_take_one(
    object: &str,
    schema: &Schema,
    validate: impl AsyncFn(Value) -> Result<(), Diagnostics>,
) -> Vec<String> {
    let (mut taken, kind) = (Vec::new(), schema.implied_type());
    for attribute in schema.top().attributes().iter().filter(|one| one.mode() != Mode::Computed) {
        let name = attribute.name();
        let Type::Object(members) = &kind else { unreachable!("a schema is of an object") };
        for (at, value) in with_an_empty_text(&members[name], &format!("{object}.{name}")) {
            let errors = validate(Value::object([(name, value)])).await.err().unwrap_or_default();
            // Elements of sets have no address: the set is to blame.
            let argument = at.split_once('.').map_or("", |(_, argument)| argument);
            let whole = argument.split("[]").next();
            let is_blamed = |path: &tfplugin_rs::Path| {
                let path = path.to_string().replace("[0]", "[]").replace("[\"key\"]", "[]");
                path == argument || Some(path.as_str()) == whole
            };
            if !errors.iter().any(|error| error.attribute.as_ref().is_some_and(is_blamed)) {
                taken.push(at);
            }
        }
    }
    taken
}

#[tokio::test]
async fn no_empty_text_is_taken_without_a_word() {
    let core = offline().await;
    let published = core.published().await.unwrap().clone();
    let mut taken = Vec::new();
    for (name, schema) in &published.resources {
        let plan = async |config| core.plan(name, &State::default(), config).await.map(drop);
        taken.extend(that_take_one(name, schema, plan).await);
    }
    for (name, schema) in &published.data_sources {
        let read = async |config| core.data(name, config).await.map(drop);
        taken.extend(that_take_one(name, schema, read).await);
    }
    taken.sort();
    assert_eq!(taken, FREE);
}
