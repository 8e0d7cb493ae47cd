//! Two usual ways to have a password in a resource without having it in the state.

use tfplugin_rs::{Attribute, Diagnostic, Diagnostics, PlanRequest, Rule, Schema, Type};

use crate::keeper::Keeper;

/// `corner_once`: needs its password when it is created, and never again.
pub(crate) fn once() -> Keeper {
    let schema = Schema::new()
        .attribute(Attribute::required("trigger", Type::String).requires_replace())
        .attribute(Attribute::optional("password_wo", Type::String).write_only());
    Keeper::new("corner_once", schema).judging(judge)
}

/// A replacement is planned twice, and the second plan is one to create.
fn judge(request: &PlanRequest) -> Diagnostics {
    let creates = request.prior.is_null() && !request.proposed.is_null();
    if creates && request.config.get("password_wo").is_null() {
        return Diagnostic::error("A password is needed to create it", "").at("password_wo").into();
    }
    Diagnostics::new()
}

/// `corner_password`: a password in the state, or one beside it whose version says when it changed.
pub(crate) fn versioned() -> Keeper {
    let schema = Schema::new()
        .attribute(Attribute::optional("password", Type::String).sensitive().requires_replace())
        .attribute(Attribute::optional("password_wo", Type::String).write_only())
        .attribute(Attribute::optional("password_wo_version", Type::String).requires_replace())
        .rule(Rule::exactly_one_of(["password", "password_wo"]))
        .rule(Rule::required_with(["password_wo", "password_wo_version"]))
        .rule(Rule::required_with(["password_wo_version", "password_wo"]));
    Keeper::new("corner_password", schema).judging(prefer_write_only)
}

fn prefer_write_only(request: &PlanRequest) -> Diagnostics {
    if request.client.write_only && !request.config.get("password").is_null() {
        let detail = "`password` is kept in the state, `password_wo` is not.";
        return Diagnostic::warning("The password is readable in the state", detail).at("password").into();
    }
    Diagnostics::new()
}
