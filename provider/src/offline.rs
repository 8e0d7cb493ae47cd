//! The provider as it is while its settings are not known: for tests of what a plan says without a registry.

use tfplugin_rs::{Diagnostics, Value, testing::Core};

use crate::provider::EcrProvider;

pub(crate) const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web";

pub(crate) async fn offline() -> Core {
    let core = Core::new(EcrProvider::default());
    core.configure(Value::object([("region", Value::Unknown)])).await.unwrap();
    core
}

/// An object of texts.
pub(crate) fn texts<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    Value::object(members.into_iter().map(|(name, text)| (name, text.into())))
}

/// The digest of a name.
pub(crate) fn digest(name: &str) -> String {
    ecr_registry::Digest::of(name.as_bytes()).to_string()
}

/// What a person reads, one per line.
pub(crate) fn said(diagnostics: &Diagnostics) -> String {
    let line = |one: &tfplugin_rs::Diagnostic| {
        let at = one.attribute.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
        format!("{at}{} {}", one.summary, one.detail.replace('\n', " "))
    };
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}
