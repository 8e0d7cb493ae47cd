//! What a provider offers, each with its schema, by name.

use std::{collections::BTreeMap, sync::Arc};

use super::{Inner, codec};
use crate::{
    ClientCapabilities, Diagnostics, Schema, Type, ValidateRequest, Value,
    wire::tfplugin6::{self as wire, DynamicValue},
};

/// A part of a provider with what is asked of it again and again.
pub(super) struct Offer<T: ?Sized> {
    pub(super) part: Arc<T>,
    pub(super) form: Form,
}

/// The parts of one kind that are nothing but a schema and what they do.
pub(super) fn all<T: ?Sized>(
    parts: Vec<Arc<T>>,
    name: impl Fn(&T) -> &str,
    schema: impl Fn(&T) -> Schema,
) -> BTreeMap<String, Offer<T>> {
    by_name(parts, name, |part| Offer { form: Form::new(schema(&part)), part })
}

/// The parts of one kind. Of two with the same name the later one counts; that there are two is a fault.
pub(super) fn by_name<T: ?Sized, O>(
    parts: Vec<Arc<T>>,
    name: impl Fn(&T) -> &str,
    offer: impl Fn(Arc<T>) -> O,
) -> BTreeMap<String, O> {
    parts.into_iter().map(|part| (name(&part).to_owned(), offer(part))).collect()
}

/// A schema and its type, worked out once.
pub(super) struct Form {
    pub(super) schema: Schema,
    kind: Type,
}

impl Form {
    pub(super) fn new(schema: Schema) -> Self {
        Self { kind: schema.implied_type(), schema }
    }

    /// Reads a value, which may be absent.
    pub(super) fn read(&self, sent: Option<DynamicValue>) -> Result<Value, Diagnostics> {
        codec::decode(sent, &self.kind)
    }

    /// Reads a proposed state. Terraform leaves write-only values in it; no plan may hold them.
    pub(super) fn proposed(&self, sent: Option<DynamicValue>) -> Result<Value, Diagnostics> {
        let proposed = self.read(sent)?;
        if !self.schema.top().has_write_only() {
            return Ok(proposed);
        }
        Ok(proposed.map(&mut |path, value| match self.schema.attribute_at(path) {
            Some(attribute) if attribute.is_write_only() => Value::Null,
            _ => value,
        }))
    }

    /// Reads a value that has to be there: `what` it is, in a word.
    pub(super) fn need(&self, sent: Option<DynamicValue>, what: &str) -> Result<Value, Diagnostics> {
        let value = self.read(sent)?;
        if value.is_null() { Err(codec::absent(what).into()) } else { Ok(value) }
    }

    /// Reads a configuration.
    pub(super) fn config(&self, sent: Option<DynamicValue>) -> Result<Value, Diagnostics> {
        self.need(sent, "configuration")
    }

    /// Reads a configuration whose `config` block may be left out: nothing is set then.
    pub(super) fn config_block(&self, sent: Option<DynamicValue>) -> Result<Value, Diagnostics> {
        match self.read(sent)? {
            Value::Null => Ok(self.schema.complete(Value::Map([].into()))?),
            config => Ok(config),
        }
    }

    /// Checks a configuration by its schema, and then by what the part itself knows.
    pub(super) async fn validate<F: Future<Output = Diagnostics>>(
        &self,
        config: Value,
        inner: &Inner,
        check: impl FnOnce(ValidateRequest) -> F,
    ) -> Vec<wire::Diagnostic> {
        let mut diagnostics = self.schema.validate(&config);
        let client = ClientCapabilities::default();
        let request = ValidateRequest { config, client, cancellation: inner.cancellation() };
        diagnostics.extend(check(request).await);
        diagnostics.to_wire()
    }

    /// Completes an answer and writes it.
    pub(super) fn write(&self, value: Value) -> Result<(Value, DynamicValue), Diagnostics> {
        let value = self.schema.complete(value).map_err(|error| codec::misshapen(&error))?;
        let sent = codec::encode(&value);
        Ok((value, sent))
    }

    /// Writes an answer in which everything has to be known.
    pub(super) fn write_known(&self, value: Value) -> Result<DynamicValue, Diagnostics> {
        let (value, sent) = self.write(value)?;
        codec::known(&value)?;
        Ok(sent)
    }

    /// Writes an answer that has to be there and known: the outcome of `doing` something.
    pub(super) fn write_result(&self, value: Value, doing: &str) -> Result<DynamicValue, Diagnostics> {
        if value.is_null() {
            return Err(codec::missing(doing).into());
        }
        self.write_known(value)
    }
}
