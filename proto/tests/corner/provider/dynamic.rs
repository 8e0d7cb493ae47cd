//! A computed attribute whose type is another one after each change.

use tfplugin_rs::{ApplyRequest, Attribute, Operation, Schema, Type, Value};

use crate::keeper::Keeper;

/// `corner_dynamic`: `result` is a bool when created and a number when updated.
pub(crate) fn resource() -> Keeper {
    let schema = Schema::new()
        .attribute(Attribute::required("value", Type::Dynamic))
        .attribute(Attribute::computed("result", Type::Dynamic))
        .attribute(Attribute::computed("type", Type::String).describe("The type of the value."));
    Keeper::new("corner_dynamic", schema).deciding(|request, path| Ok(decide(request, path)))
}

fn decide(request: &ApplyRequest, path: &str) -> Value {
    let (kind, result) = match request.operation() {
        Operation::Create => (Type::Bool, true.into()),
        _ => (Type::Number, 200_i64.into()),
    };
    match (path, request.planned.get("value")) {
        ("result", _) => Value::Dynamic(kind, Box::new(result)),
        (_, Value::Dynamic(kind, _)) => kind.to_json().to_string().into(),
        _ => "no type".into(),
    }
}
