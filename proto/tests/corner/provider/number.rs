//! Numbers, which have more digits than any float.

use tfplugin_rs::{ApplyRequest, Attribute, Diagnostic, Diagnostics, Number, Schema, Type, Validator, Value};

use crate::keeper::Keeper;

/// `corner_number`: a number, and what became of it on its way through a float and an integer.
pub(crate) fn resource() -> Keeper {
    let schema = Schema::new()
        .attribute(
            Attribute::required("value", Type::Number).validate(Validator::new("a finite number", is_finite)),
        )
        .attribute(Attribute::computed("float", Type::Number).describe("The nearest 64-bit float."))
        .attribute(
            Attribute::computed("integer", Type::Number).describe("The same, if it is a 64-bit integer."),
        )
        .attribute(Attribute::computed("text", Type::String).describe("All digits."));
    Keeper::new("corner_number", schema).deciding(decide)
}

/// Terraform computes infinities and cannot store them.
fn is_finite(value: &Value) -> bool {
    let infinite = |number: &Number| number.to_string().ends_with("inf");
    !value.as_number().is_some_and(infinite)
}

fn decide(request: &ApplyRequest, path: &str) -> Result<Value, Diagnostics> {
    let value: Number = request.planned.view().get("value").read()?;
    Ok(match path {
        "float" => Number::try_from(value.to_f64())
            .map_err(|error| Diagnostic::error("No float is near", error.to_string()).at("value"))?
            .into(),
        "integer" => value.as_i64().into(),
        _ => value.to_string().into(),
    })
}
