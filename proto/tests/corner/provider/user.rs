//! An ordinary resource: some of it required, some with a default, some computed, one part for ever.

use tfplugin_rs::{ApplyRequest, Attribute, Diagnostics, Schema, Type, Validator, Value};

use crate::keeper::Keeper;

/// `corner_user`.
pub(crate) fn resource() -> Keeper {
    let schema = Schema::new()
        .attribute(Attribute::required("email", Type::String).requires_replace())
        .attribute(Attribute::required("name", Type::String))
        .attribute(Attribute::required("age", Type::Number).validate(Validator::range(18..=999)))
        .attribute(Attribute::optional("language", Type::String).default("en"))
        .attribute(Attribute::computed("id", Type::String).keeps_prior())
        .attribute(Attribute::computed("greeting", Type::String).depends_on(["name", "language"]));
    Keeper::new("corner_user", schema).imported_as("email").deciding(decide)
}

fn decide(request: &ApplyRequest, path: &str) -> Result<Value, Diagnostics> {
    let text = |name| request.planned.view().get(name).read::<String>();
    Ok(match path {
        "id" => format!("user:{}", text("email")?),
        _ => format!("{} speaks {}", text("name")?, text("language")?),
    }
    .into())
}
