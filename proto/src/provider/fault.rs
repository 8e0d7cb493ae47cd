//! The rules by which Terraform refuses a whole provider, or could never use a part of it.

use std::collections::BTreeSet;

use super::Provider;
use crate::{Function, IdentitySchema, Parameter, Schema, SchemaFault, Type};

/// A part of a provider that Terraform would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {problem}")]
pub struct ProviderFault {
    /// Which part, such as "resource `files_file`".
    pub part: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Arguments that Terraform understands itself in the blocks of resources, and in those of providers.
const RESOURCE_WORDS: [&str; 7] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];
const PROVIDER_WORDS: [&str; 2] = ["alias", "version"];

impl ProviderFault {
    /// Everything that Terraform would refuse. A provider's tests assert that there is nothing; in debug
    /// builds Terraform is told when it asks for the schema.
    pub fn all(provider: &dyn Provider) -> Vec<Self> {
        let mut faults = Faults(Vec::new());
        faults.in_schema("the provider", &provider.schema(), &PROVIDER_WORDS);
        if let Some(meta) = provider.meta_schema() {
            faults.in_schema("provider_meta", &meta, &[]);
        }
        faults.managed(provider);
        faults.in_kind("data source", &RESOURCE_WORDS, &provider.data_sources(), |one| {
            (one.type_name().to_owned(), one.schema())
        });
        faults.in_kind("ephemeral resource", &RESOURCE_WORDS, &provider.ephemeral_resources(), |one| {
            (one.type_name().to_owned(), one.schema())
        });
        faults.listed(provider);
        faults.in_kind("action", &[], &provider.actions(), |one| (one.type_name().to_owned(), one.schema()));
        faults.in_kind("state store", &[], &provider.state_stores(), |one| {
            (one.type_name().to_owned(), one.schema())
        });
        faults.functions(provider);
        faults.0
    }
}

struct Faults(Vec<ProviderFault>);

impl Faults {
    fn add(&mut self, part: &str, problem: impl Into<String>) {
        self.0.push(ProviderFault { part: part.to_owned(), problem: problem.into() });
    }

    fn add_all(&mut self, part: &str, faults: Vec<SchemaFault>) {
        for fault in faults {
            self.add(part, fault.to_string());
        }
    }

    fn managed(&mut self, provider: &dyn Provider) {
        let named = |one: &dyn crate::Resource| (one.type_name().to_owned(), one.schema());
        self.names("resource", provider.resources().iter().map(|one| one.type_name().to_owned()));
        for resource in provider.resources() {
            let (name, schema) = named(&*resource);
            let part = format!("resource `{name}`");
            self.add_all(&part, schema.check());
            self.reserved(&part, &schema, &RESOURCE_WORDS);
            if let Some(identity) = resource.identity() {
                self.identity(&format!("identity of {part}"), &identity);
            }
        }
    }

    fn identity(&mut self, part: &str, identity: &IdentitySchema) {
        self.add_all(part, identity.check());
        if identity.implied_type() == Type::Object([].into()) {
            self.add(part, "it has no parts");
        }
    }

    /// A search is told by the name of the resource that it finds, and what it finds by its identity.
    fn listed(&mut self, provider: &dyn Provider) {
        let managed = provider.resources();
        for list in provider.list_resources() {
            let part = format!("list resource `{}`", list.type_name());
            match managed.iter().find(|one| one.type_name() == list.type_name()) {
                None => self.add(&part, "there is no resource of this name"),
                Some(one) if one.identity().is_none() => self.add(&part, "the resource has no identity"),
                Some(_) => {}
            }
        }
        self.in_kind("list resource", &[], &provider.list_resources(), |one| {
            (one.type_name().to_owned(), one.schema())
        });
    }

    /// Whatever is not a managed resource: it has no state that write-only arguments could be kept from.
    fn in_kind<T>(
        &mut self,
        kind: &str,
        reserved: &[&str],
        parts: &[T],
        named: impl Fn(&T) -> (String, Schema),
    ) {
        self.names(kind, parts.iter().map(|part| named(part).0));
        for (name, schema) in parts.iter().map(named) {
            self.in_schema(&format!("{kind} `{name}`"), &schema, reserved);
        }
    }

    fn in_schema(&mut self, part: &str, schema: &Schema, reserved: &[&str]) {
        self.add_all(part, schema.check());
        self.reserved(part, schema, reserved);
        if schema.top().has_write_only() {
            self.add(part, "only managed resources can have write-only attributes");
        }
    }

    fn reserved(&mut self, part: &str, schema: &Schema, words: &[&str]) {
        let top = schema.top();
        let names = top.attributes().iter().map(crate::Attribute::name);
        for name in names.chain(top.blocks().iter().map(crate::NestedBlock::name)) {
            if words.contains(&name) {
                self.add(part, format!("`{name}` is a word of Terraform's own"));
            }
        }
    }

    fn names(&mut self, kind: &str, names: impl Iterator<Item = String>) {
        let mut seen = BTreeSet::new();
        for name in names {
            let part = format!("{kind} `{name}`");
            let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
            if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(plain) {
                self.add(&part, "the name may consist of a-z, 0-9 and _ only, with a letter first");
            }
            if !seen.insert(name) {
                self.add(&part, "is there twice");
            }
        }
    }

    fn functions(&mut self, provider: &dyn Provider) {
        let mut seen = BTreeSet::new();
        for function in provider.functions() {
            let part = format!("function `{}`", function.name());
            self.identifier(&part, function.name());
            if !seen.insert(function.name().to_owned()) {
                self.add(&part, "is there twice");
            }
            self.signature(&part, &*function);
        }
    }

    fn signature(&mut self, part: &str, function: &dyn Function) {
        let signature = function.signature();
        let mut seen = BTreeSet::new();
        for Parameter { name, kind, .. } in signature.parameters.iter().chain(&signature.variadic) {
            self.identifier(&format!("parameter of {part}"), name);
            if !seen.insert(name) {
                self.add(part, format!("parameter `{name}` is there twice"));
            }
            if kind.has_dynamic_set() {
                self.add(part, format!("parameter `{name}` is a set and cannot hold a dynamic type"));
            }
        }
        if signature.result.has_dynamic_set() {
            self.add(part, "the result is a set and cannot hold a dynamic type");
        }
    }

    /// Source: hclsyntax, `ValidIdentifier`.
    fn identifier(&mut self, part: &str, name: &str) {
        let first = |letter: char| letter.is_alphabetic() || letter == '_';
        let further = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
        if !name.starts_with(first) || !name.chars().all(further) {
            self.add(part, format!("`{name}` is no name for Terraform"));
        }
    }
}

#[cfg(test)]
mod tests;
