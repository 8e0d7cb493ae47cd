//! Identities of managed resources.

use std::collections::BTreeMap;

use crate::Type;

/// What names a managed resource for ever, such as an account, a region and a name.
///
/// Only where it never changes in the life of the resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentitySchema {
    pub(super) version: u32,
    pub(super) attributes: BTreeMap<String, IdentityAttribute>,
}

/// One part of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityAttribute {
    pub(super) kind: Type,
    pub(super) required: bool,
    pub(super) description: String,
}

impl IdentitySchema {
    /// An identity without parts, version 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version of its form.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Adds a part an import must name.
    #[must_use]
    pub fn required(self, name: &str, kind: Type, description: &str) -> Self {
        self.with(name, kind, true, description)
    }

    /// Adds a part an import may leave to the provider.
    #[must_use]
    pub fn optional(self, name: &str, kind: Type, description: &str) -> Self {
        self.with(name, kind, false, description)
    }

    fn with(mut self, name: &str, kind: Type, required: bool, description: &str) -> Self {
        let description = description.to_owned();
        self.attributes.insert(name.to_owned(), IdentityAttribute { kind, required, description });
        self
    }

    pub(crate) fn implied_type(&self) -> Type {
        Type::object(self.attributes.iter().map(|(name, attribute)| (name.clone(), attribute.kind.clone())))
    }
}
